import { imageDeletedSchema, imageRejectedSchema } from '../../shared/domain/events.ts'
import { parseKey } from '../../shared/domain/keys.ts'
import { done, reject } from '../../shared/domain/outcomes.ts'
import type { LogRecord, RecordHandler } from '../../shared/ports/event-log.ts'
import type { Invalidator } from './invalidator.ts'

/** What takes an image out of sight. */
export const removalTopics = ['image.deleted', 'image.rejected'] as const

const schemas = { 'image.deleted': imageDeletedSchema, 'image.rejected': imageRejectedSchema } as const

/** Handles one event: its image's path is taken out of the caches. The offset moves when the CDN was told. */
export const handleRemoval =
  ({ take }: Pick<Invalidator, 'take'>): RecordHandler =>
  async (record) => {
    const path = readPath(record)
    if (!path.ok) return reject(path.problem)
    await take(path.value)
    return done
  }

/** A key of ours holds only characters that stand for themselves in a path. */
const readPath = (record: LogRecord): { ok: true; value: string } | { ok: false; problem: string } => {
  const topic = removalTopics.find((name) => name === record.topic)
  if (!topic) return { ok: false, problem: `events of ${record.topic} tell of no removal` }
  const event = schemas[topic].safeParse(parseJson(record.value))
  if (!event.success) return { ok: false, problem: `the record is no ${topic} event` }
  const key = parseKey(event.data.data.key)
  if (!key.ok) return { ok: false, problem: `the event's key is not ours: ${key.problem}` }
  return { ok: true, value: `/${key.facts.key}` }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
