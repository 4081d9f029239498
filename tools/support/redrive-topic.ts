import { deadLetterHeaders } from '#shared/adapters/record-handling.ts'
import { countRedrive, maxRedrives, readRedriveCount } from '#shared/domain/redrive.ts'
import type { EventLog, LogRecord, NewRecord } from '#shared/ports/event-log.ts'

import type { Letter, LetterSource, RedrivePath } from './redrive.ts'

export type RecordLetter = Letter & { record: LogRecord }

/** Header of a receipt: the partition and offset of the letter in this topic that was put back. */
export const receiptHeader = 'redriven-letter'

/** A crash repeats at most so many. */
const batchSize = 100

/**
 * Dead letters of a topic. They stay where they are; a receipt that is appended behind a letter crosses it out, so what
 * waits is known from the topic alone, and letters that are held back wait on.
 */
export const topicLetters = (log: EventLog, path: RedrivePath, signal: AbortSignal): LetterSource<RecordLetter> => {
  const readAll = () => log.read({ topics: [path.from], from: 'start', follow: false, signal })

  /** Without the letters' values: there may be many. */
  const findWaiting = async () => {
    const letters = new Set<string>()
    const receipts = new Set<string>()
    for await (const record of await readAll()) {
      const receipt = record.headers[receiptHeader]
      if (receipt === undefined) letters.add(positionOf(record))
      else receipts.add(receipt)
    }
    return letters.difference(receipts)
  }
  const read = async function* () {
    const waiting = await findWaiting()
    let batch: RecordLetter[] = []
    for await (const record of await readAll()) {
      if (waiting.has(positionOf(record))) batch.push(toLetter(record))
      if (batch.length < batchSize) continue
      yield batch
      batch = []
    }
    if (batch.length > 0) yield batch
  }
  const putBack = async (letters: readonly RecordLetter[]) => {
    await Promise.all(letters.map(({ record }) => log.append([restoreRecord(record, path.to)])))
    await Promise.all(letters.map(({ record }) => log.append([writeReceipt(record)])))
  }
  return { read, putBack }
}

const positionOf = ({ partition, offset }: LogRecord) => `${partition}:${offset}`

const toLetter = (record: LogRecord): RecordLetter => {
  const { key, headers, appendedAt } = record
  const reason = headers[deadLetterHeaders.reason] ?? 'no reason was kept'
  // Without its value there is nothing to put back: held back, as one that was put back too often.
  const redriveCount = headers[deadLetterHeaders.omitted] === undefined ? readRedriveCount(headers) : maxRedrives
  return { key, reason, since: appendedAt, redriveCount, record }
}

const origin = new Set<string>(Object.values(deadLetterHeaders))

/** The record as it was before it was given up, and the count. */
const restoreRecord = ({ key, value, headers }: LogRecord, topic: string): NewRecord => {
  const own = Object.entries(headers).filter(([name]) => !origin.has(name))
  return { topic, key, value, headers: countRedrive(Object.fromEntries(own)) }
}

/** Under the letter's key, so that it lies behind it. */
const writeReceipt = (record: LogRecord): NewRecord => ({
  topic: record.topic,
  key: record.key,
  value: JSON.stringify({ redriven: positionOf(record) }),
  headers: { [receiptHeader]: positionOf(record) },
})
