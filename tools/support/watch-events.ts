import {
  imageRejectedSchema,
  imageUploadedSchema,
  scanAnalyzedSchema,
  scanDispatchedSchema,
  type ImageRejected,
  type ImageUploaded,
  type ScanAnalyzed,
  type ScanDispatched,
} from '#shared/domain/events.ts'
import type { EventLog } from '#shared/ports/event-log.ts'

import { awaitedResults, type AwaitedResults } from './awaited-results.ts'
import type { Watched } from './upload-image.ts'

const eventSchema = imageUploadedSchema.or(imageRejectedSchema).or(scanDispatchedSchema).or(scanAnalyzedSchema)
type Seen = ImageUploaded | ImageRejected | ScanDispatched
const topics = ['image.uploaded', 'image.rejected', 'scan.dispatched', 'scan.analyzed']

/** Undefined for what is no event: whoever follows a log must live with what others put there. */
const readEvent = (value: string): Seen | ScanAnalyzed | undefined => {
  try {
    return eventSchema.safeParse(JSON.parse(value)).data
  } catch {
    return undefined
  }
}

/** Follows the event log from now on, so that single keys can be waited for. */
export const watchEvents = async (
  log: EventLog,
  timeoutMs: number,
): Promise<Watched & { results: AwaitedResults; stop: () => Promise<void> }> => {
  const ended = new AbortController()
  const seen = new Map<string, Seen>()
  const waiting = new Map<string, (event: Seen) => void>()
  const results = awaitedResults()
  const nameOf = (kind: 'verdict' | 'dispatch', key: string) => `${kind} ${key}`

  const records = await log.read({ topics, from: 'end', follow: true, signal: ended.signal })
  const reading = (async () => {
    for await (const { value } of records) {
      const event = readEvent(value)
      if (event?.type === 'scan.analyzed') results.tell(event)
      if (!event || event.type === 'scan.analyzed') continue
      const name = nameOf(event.type === 'scan.dispatched' ? 'dispatch' : 'verdict', event.subject)
      seen.set(name, event)
      waiting.get(name)?.(event)
    }
  })()

  const wait = async (kind: 'verdict' | 'dispatch', key: string) => {
    const name = nameOf(kind, key)
    const found = seen.get(name)
    if (found) return found
    const { promise, resolve, reject } = Promise.withResolvers<Seen>()
    const service = kind === 'verdict' ? 'upload-watcher' : 'scan-dispatcher'
    const late = () => reject(new Error(`no ${kind} on ${key} within ${timeoutMs / 1000} s: does the ${service} run?`))
    const timer = setTimeout(late, timeoutMs)
    waiting.set(name, resolve)
    return await promise.finally(() => clearTimeout(timer))
  }

  return {
    results,
    verdict: async (key) => {
      const event = await wait('verdict', key)
      if (event.type === 'scan.dispatched') throw new Error('verdicts are never kept under this name')
      return event
    },
    dispatch: async (key) => {
      const event = await wait('dispatch', key)
      if (event.type !== 'scan.dispatched') throw new Error('dispatches are never kept under this name')
      return event
    },
    stop: async () => {
      ended.abort()
      await reading
      await log.close()
    },
  }
}
