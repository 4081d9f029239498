import { pause } from '#shared/runtime/backoff.ts'

const patienceMs = 3_000

/** Ends a kafkajs client. Its `disconnect` waits for answers that may never come, and then hangs: what is left is left. */
export const disconnect = async (client: { disconnect: () => Promise<void> }): Promise<void> => {
  const over = new AbortController()
  await Promise.race([client.disconnect().catch(() => undefined), pause(patienceMs, over.signal)])
  over.abort()
}
