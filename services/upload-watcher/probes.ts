import { purposeNames, purposeRules } from '#shared/domain/purposes.ts'
import { RefusalError } from '#shared/ports/failures.ts'
import type { ObjectStore } from '#shared/ports/object-store.ts'

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
  await Promise.all([images.ping(signal), states.ping(signal)])
  const reads = purposeNames.map((purpose) => images.readStart(`${purposeRules(purpose).prefix}probe`, 1, { signal }))
  const absent = { key: 'verdicts/probe', body: '{}', contentType: 'application/json' }
  await Promise.all([...reads, states.replace(absent, 'absent')].map(passRefusal))
}

/** Who may not list a bucket is refused what is not there. */
const passRefusal = async (call: Promise<unknown>) => {
  try {
    await call
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error
  }
}
