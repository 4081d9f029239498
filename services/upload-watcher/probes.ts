import { purposeNames, purposeRules } from '#shared/domain/purposes.ts'
import { RefusalError } from '#shared/ports/failures.ts'
import type { MessageQueue } from '#shared/ports/message-queue.ts'
import type { ObjectStore } from '#shared/ports/object-store.ts'

type Pinged = { ping: (signal: AbortSignal) => Promise<void> }

/** Whether each of them answers for itself. @throws OutageError, SetupError */
export const pingAll =
  (...parts: readonly Pinged[]) =>
  async (signal: AbortSignal): Promise<void> => {
    await Promise.all(parts.map(({ ping }) => ping(signal)))
  }

type Stores = {
  images: Pick<ObjectStore, 'ping' | 'readStart'>
  states: Pick<ObjectStore, 'ping' | 'replace'>
}

/**
 * Whether S3 does again what settling needs of it. A bucket may answer for itself while S3 throttles reads and writes in it,
 * by prefix, so it is asked for objects that were never there: what it says of them is an answer. Nothing is stored, but
 * by a store that knows no conditional writes.
 * @throws OutageError, SetupError
 */
export const probeObjects = async ({ images, states }: Stores, signal: AbortSignal): Promise<void> => {
  await pingAll(images, states)(signal)
  const reads = purposeNames.map((purpose) => images.readStart(`${purposeRules(purpose).prefix}probe`, 1, { signal }))
  const absent = { key: 'verdicts/probe', body: '{}', contentType: 'application/json' }
  await Promise.all([...reads, states.replace(absent, 'absent')].map(passRefusal))
}

type Queues = { uploads: Pick<MessageQueue, 'ping' | 'acknowledge'>; quarantine: Pick<MessageQueue, 'ping'> }

/**
 * Whether SQS does again what settling needs of it. A queue may answer for itself while it takes no deletes, and each message
 * that is tried then costs a receipt, of which it has few before its redrive: so it is asked to delete what never was.
 * Only once it has answered, since a delete that hangs keeps others waiting.
 * @throws OutageError, SetupError
 */
export const probeQueues = async ({ uploads, quarantine }: Queues, signal: AbortSignal): Promise<void> => {
  await pingAll(uploads, quarantine)(signal)
  await passRefusal(uploads.acknowledge(absentMessage))
}

const absentMessage = { id: '', receipt: 'probe', body: '', attributes: {}, receiveCount: 0, sentAt: new Date(0) }

/** Who may not list a bucket is refused what is not there, and a receipt that never was is none. */
const passRefusal = async (call: Promise<unknown>) => {
  try {
    await call
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error
  }
}
