import { setTimeout as sleep } from 'node:timers/promises'

import type { EventLog } from '#shared/ports/event-log.ts'

import type { doctorClient } from './doctor-client.ts'
import { watchEvents } from './watch-events.ts'

/** Sees that an upload was noticed and judged; gives the proof as a phrase, or throws why there is none. */
export type Arrival = { seen: (key: string) => Promise<string>; stop: () => Promise<void> }

const timeoutMs = 30_000
const pollMs = 500

/** By the events themselves, from now on. */
export const arrivalInLog = async (log: EventLog): Promise<Arrival> => {
  const watched = await watchEvents(log, timeoutMs)
  const seen = async (key: string) => {
    const { type, id } = await watched.verdict(key)
    return `${type} in the event log, event ${id}`
  }
  return { seen, stop: watched.stop }
}

/** By what the API says of the image: where no log is named, its verdict proves that the notification came. */
export const arrivalInMetadata = ({
  readMetadata,
}: Pick<ReturnType<typeof doctorClient>, 'readMetadata'>): Arrival => ({
  seen: async (key) => {
    const endsMs = Date.now() + timeoutMs
    while (Date.now() < endsMs) {
      const status = (await readMetadata(key))?.status
      if (status === 'accepted' || status === 'rejected') return `status ${status} by the API; no event log is named`
      await sleep(pollMs)
    }
    throw new Error(`no verdict on ${key} within ${timeoutMs / 1000} s: does the upload-watcher run?`)
  },
  stop: () => Promise.resolve(),
})
