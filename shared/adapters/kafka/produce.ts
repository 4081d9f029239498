import kafkajs from 'kafkajs'
import type { Producer, TopicMessages } from 'kafkajs'

import type { EventLog, NewRecord } from '#shared/ports/event-log.ts'
import { OutageError, RefusalError } from '#shared/ports/failures.ts'
import { backoff, retrying } from '#shared/runtime/backoff.ts'
import { group } from '#shared/runtime/group.ts'

import { metadataMaxAgeMs, requestTimeoutMs } from './client.ts'
import type { OpenClient } from './client.ts'
import { disconnect } from './disconnect.ts'
import { explainFailure, isPassing, isUnknownTopic } from './failures.ts'

/** A broker's usual limit of a batch (message.max.bytes); kafkajs makes one batch of all that one partition gets. */
const maxRecordBytes = 1_048_576
const maxSendBytes = 900_000
const maxSendRecords = 5_000
/** What a record costs beside its texts, at most. */
const overheadBytes = 60

/** About 3 s, and no more when the broker does not even refuse: a leader that moves is no outage. */
const attempts = 6
const delayMs = backoff({ baseMs: 100, capMs: 2_000 })
const patienceMs = 5_000

/** A record, its size, and since when it waits, in ms of performance.now(). */
type Waiting = { record: NewRecord; bytes: number; since: number }
type Settled = PromiseSettledResult<undefined>

/** Appends to topics; records that are under way at once share one send, and each settles by itself. */
export const openAppender = (openClient: OpenClient) => {
  let opened: Promise<Producer> | undefined
  let outage: { at: number; error: OutageError } | undefined

  const open = async () => {
    const producer = openClient().producer({
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      allowAutoTopicCreation: false,
      metadataMaxAge: metadataMaxAgeMs,
      // A retry of kafkajs sends only what lacks an answer, by what it then knows of the partitions: we send all again.
      retry: { retries: 0 },
    })
    try {
      await producer.connect()
    } catch (error) {
      opened = undefined
      throw error
    }
    return producer
  }
  const close = async () => {
    const closing = opened
    opened = undefined
    const producer = await closing?.catch(() => undefined)
    if (producer) await disconnect(producer)
  }
  const sendOnce = async (topicMessages: TopicMessages[]) => {
    const producer = await (opened ??= open())
    await producer.sendBatch({ acks: -1, timeout: requestTimeoutMs / 2, topicMessages })
  }
  const sendAll = async (records: readonly NewRecord[], isFinal: (error: unknown) => boolean): Promise<void> => {
    const topicMessages = groupByTopic(records)
    const giveUpAt = performance.now() + patienceMs
    const isLast = (error: unknown) => isFinal(error) || performance.now() > giveUpAt
    try {
      await retrying(() => sendOnce(topicMessages), { attempts, delayMs, isFinal: isLast })
      outage = undefined
    } catch (error) {
      const explained = explainFailure(
        error,
        topicMessages.map(({ topic }) => topic),
      )
      if (explained instanceof OutageError) {
        outage = { at: performance.now(), error: explained }
        // A client that met an outage may have lost its way: the next send begins with a fresh one.
        void close()
      }
      throw explained
    }
  }
  /** A record that is at fault is found by halves, so that it alone is refused. */
  const settle = async (records: readonly NewRecord[], isFinal = isLasting): Promise<Settled[]> => {
    try {
      await sendAll(records, isFinal)
      return records.map(() => ({ status: 'fulfilled', value: undefined }))
    } catch (reason) {
      if (records.length === 1 || reason instanceof OutageError)
        return records.map(() => ({ status: 'rejected', reason }))
      const middle = records.length >> 1
      const [first, second] = [records.slice(0, middle), records.slice(middle)]
      return [...(await settle(first, isLastingNow)), ...(await settle(second, isLastingNow))]
    }
  }
  /** Those that waited while an outage was found have met it too: they need not find it again, one send after the other. */
  const settleGroup = async (waiting: readonly Waiting[]): Promise<Settled[]> => {
    const met = outage
    const late = met ? waiting.filter(({ since }) => since < met.at) : []
    const rest = waiting.slice(late.length)
    const rejected = late.map((): Settled => ({ status: 'rejected', reason: met?.error }))
    return rest.length === 0 ? rejected : [...rejected, ...(await settle(rest.map(({ record }) => record)))]
  }
  const send = group<Waiting, undefined>({
    send: settleGroup,
    maxItems: maxSendRecords,
    maxBytes: maxSendBytes,
    sizeOf: ({ bytes }) => bytes,
  })

  const append: EventLog['append'] = async (records) => {
    const since = performance.now()
    const waiting = records.map((record) => ({ record, bytes: checkSize(record), since }))
    const results = await Promise.allSettled(waiting.map(send))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }
  return { append, close }
}

const isLasting = (error: unknown) => !isPassing(error)
/** A topic that stayed unknown for the whole is not waited for again by its parts. */
const isLastingNow = (error: unknown) => isLasting(error) || isUnknownTopic(error)

const groupByTopic = (records: readonly NewRecord[]): TopicMessages[] => {
  const topics = Map.groupBy(records, ({ topic }) => topic)
  return [...topics].map(([topic, ofTopic]) => ({
    topic,
    messages: ofTopic.map(({ key, value, headers }) => ({ key, value, headers: { ...headers } })),
  }))
}

const sizeOf = ({ key, value, headers = {} }: NewRecord): number => {
  let bytes = overheadBytes + Buffer.byteLength(key) + Buffer.byteLength(value)
  for (const name in headers) bytes += Buffer.byteLength(name) + Buffer.byteLength(headers[name] ?? '')
  return bytes
}

/** @returns the record's size */
const checkSize = (record: NewRecord): number => {
  const bytes = sizeOf(record)
  if (bytes <= maxRecordBytes) return bytes
  throw new RefusalError(`A record of ${bytes} bytes for ${record.topic} is over the limit of ${maxRecordBytes} bytes.`)
}
