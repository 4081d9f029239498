import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { kafkaEventLog } from '#shared/adapters/kafka/event-log.ts'
import { done } from '#shared/domain/outcomes.ts'
import type { EventLog } from '#shared/ports/event-log.ts'

import { startTestBroker } from '../test/support/kafka/broker.ts'
import { openPlainKafka } from './baselines/kafkajs.ts'
import { median } from './median.ts'

const rounds = 3
const records = 20_000
/** Flows that each wait for their own record, as images in hand do: the same for both sides. */
const flows = 256
const idleSeconds = 20
/** For what there is to be read, before idling begins. */
const settleMs = 15_000
const partitions = 12
/** About the size of an image.uploaded event. */
const value = JSON.stringify({ padding: 'x'.repeat(900) })

type Side = { produce: () => Promise<number>; consume: () => Promise<number> }

/** Records per second through our adapter and through kafkajs as its introduction shows it, against one broker. */
export const benchKafka = async () => {
  const broker = await startTestBroker()
  if (!broker) throw new Error('this bench needs a Kafka broker')
  const log = kafkaEventLog({ KAFKA_BROKERS: broker.brokers.split(','), KAFKA_REPLICATION: 1, KAFKA_MIN_INSYNC: 1 })
  const plain = await openPlainKafka(broker.brokers.split(','), 'bench')
  try {
    const topic = (name: string) => ({ name: `bench.${name}`, partitions, retentionDays: 1 })
    await log.ensureTopics(['ours', 'ours.dead-letter', 'plain', 'answers'].map(topic))
    const ours: Side = {
      produce: () => produce((key) => log.append([{ topic: 'bench.ours', key, value }])),
      consume: () => consumeOurs(log),
    }
    const theirs: Side = {
      produce: () => produce((key) => plain.send('bench.plain', key, value)),
      consume: () => plain.forward('bench.plain', 'bench.answers', randomUUID(), records),
    }
    const figures = await measure(ours, theirs)
    return { ...figures, idle_cpu_percent: round(await measureIdle(log)) }
  } finally {
    await Promise.all([log.close(), plain.close()])
    await broker.stop()
  }
}

const round = (figure: number) => Math.round(figure * 100) / 100
const perSecond = (ms: readonly number[]) => round((records * 1000) / median(ms))

/** Rounds of both sides in turn, so that the machine's moods meet both; the first is not counted. */
const measure = async (ours: Side, theirs: Side) => {
  const times = {
    ourProduce: [] as number[],
    theirProduce: [] as number[],
    ourConsume: [] as number[],
    theirConsume: [] as number[],
  }
  for (let index = 0; index <= rounds; index++) {
    const [ourProduce, theirProduce] = [await ours.produce(), await theirs.produce()]
    const [ourConsume, theirConsume] = [await ours.consume(), await theirs.consume()]
    if (index === 0) continue
    times.ourProduce.push(ourProduce)
    times.theirProduce.push(theirProduce)
    times.ourConsume.push(ourConsume)
    times.theirConsume.push(theirConsume)
  }
  return {
    ratio: round(median(times.theirProduce) / median(times.ourProduce)),
    consume_ratio: round(median(times.theirConsume) / median(times.ourConsume)),
    produced_per_second: perSecond(times.ourProduce),
    plain_produced_per_second: perSecond(times.theirProduce),
    consumed_per_second: perSecond(times.ourConsume),
    plain_consumed_per_second: perSecond(times.theirConsume),
  }
}

const produce = async (send: (key: string) => Promise<unknown>) => {
  const started = performance.now()
  let next = 0
  const flow = async () => {
    while (next < records) await send(`key-${next++ % 500}`)
  }
  await Promise.all(Array.from({ length: flows }, flow))
  return performance.now() - started
}

/** Each record is answered with one, as the dispatcher does; a group of its own begins at the beginning. */
const consumeOurs = async (log: EventLog) => {
  const all = new AbortController()
  const { signal: deadline } = new AbortController()
  let started = 0
  let count = 0
  const handle = async ({ key, value }: { key: string; value: string }) => {
    if (count === 0 && started === 0) started = performance.now()
    await log.append([{ topic: 'bench.answers', key, value }])
    if (++count === records) all.abort()
    return done
  }
  await log.consume(
    { group: randomUUID(), topics: ['bench.ours'], handle, concurrency: flows },
    { stop: all.signal, deadline },
  )
  return performance.now() - started
}

/** A connected producer and a consumer with nothing to do. */
const measureIdle = async (log: EventLog) => {
  const end = new AbortController()
  const { signal: deadline } = new AbortController()
  const first = Promise.withResolvers<undefined>()
  const handle = () => {
    first.resolve(undefined)
    return Promise.resolve(done)
  }
  const consuming = log.consume(
    { group: randomUUID(), topics: ['bench.ours'], handle, concurrency: 1 },
    { stop: end.signal, deadline },
  )
  await first.promise
  await sleep(settleMs)
  const before = process.cpuUsage()
  await sleep(idleSeconds * 1000)
  const { user, system } = process.cpuUsage(before)
  end.abort()
  await consuming
  return ((user + system) / 1e6 / idleSeconds) * 100
}
