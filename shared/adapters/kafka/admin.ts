import type { Admin } from 'kafkajs'

import type { OpenClient } from './client.ts'
import { disconnect } from './disconnect.ts'
import { explainFailure } from './failures.ts'

/** Asks the cluster by one connected client, which is replaced when it failed. */
export const openAdministration = (openClient: OpenClient) => {
  let opened: Promise<Admin> | undefined

  const open = async () => {
    const admin = openClient().admin()
    await admin.connect()
    return admin
  }
  const close = async () => {
    const closing = opened
    opened = undefined
    const admin = await closing?.catch(() => undefined)
    if (admin) await disconnect(admin)
  }
  return {
    /** @throws the port's errors; they name `topics` */
    ask: async <T>(question: (admin: Admin) => Promise<T>, topics: readonly string[] = []): Promise<T> => {
      const mine = (opened ??= open())
      try {
        return await question(await mine)
      } catch (error) {
        if (opened === mine) void close()
        throw explainFailure(error, topics)
      }
    },
    close,
  }
}

export type Administration = ReturnType<typeof openAdministration>
