import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { randomUUID } from 'node:crypto'

import { Kafka, logLevel } from 'kafkajs'

import { kafkaEventLog } from '#shared/adapters/kafka/event-log.ts'
import { announceVerdict } from '#shared/domain/announce.ts'
import { eventRecord } from '#shared/domain/events.ts'
import { makeKey } from '#shared/domain/keys.ts'
import { topics } from '#shared/domain/resources.ts'
import type { EventLog } from '#shared/ports/event-log.ts'

import { startTestBroker } from '../test/support/kafka/broker.ts'
import { eventually } from '../test/support/eventually.ts'
import { median } from './median.ts'
import { profiling } from './profiling.ts'
import { openQuickAws, type QuickAws } from './quick-aws.ts'

const rounds = 3
/** Of each round's scans the first ones warm the process up, and the last ones don't fill its concurrency. */
const courses = {
  ours: { scans: 30_000, from: 10_000, until: 29_500 },
  plain: { scans: 2_500, from: 500, until: 2_400 },
} as const
/** What S3 and SQS take at best, asked from their own region. */
const answerMs = 5
const [workerCore, otherCore] = ['0', '1']
const patienceMs = 120_000
const image = { kind: 'image', type: 'image/jpeg', width: 640, height: 480, animated: false } as const

type Kind = keyof typeof courses
type Speed = { perSecond: number; perCpuSecond: number }

/**
 * Scans from Kafka to SQS by one process on one core: our dispatcher, with its ledger and its announcements, and the plain
 * one, which has neither. Kafka, S3 and SQS are on the other core and the same for both. `ratio` compares scans per second:
 * eachMessage waits for each answer before it goes on. `cpu_ratio` compares scans per second of CPU time.
 */
export const benchDispatcher = async () => {
  spawnSync('taskset', ['-acp', otherCore, String(process.pid)])
  const broker = await startTestBroker()
  if (!broker) throw new Error('this bench needs a Kafka broker')
  const aws = await openQuickAws(answerMs)
  const log = kafkaEventLog({ KAFKA_BROKERS: broker.brokers.split(','), KAFKA_REPLICATION: 1, KAFKA_MIN_INSYNC: 1 })
  try {
    await log.ensureTopics(topics)
    const speeds: Record<Kind, Speed[]> = { ours: [], plain: [] }
    const callsOf: Record<string, number> = {}
    for (let round = 0; round < rounds; round++) {
      const before = new Map(aws.calls)
      speeds.ours.push(await measure('ours', { aws, log, brokers: broker.brokers }))
      for (const [name, count] of aws.calls) callsOf[name] = (count - (before.get(name) ?? 0)) / courses.ours.scans
      speeds.plain.push(await measure('plain', { aws, log, brokers: broker.brokers }))
    }
    const speed = (kind: Kind, figure: keyof Speed) => median(speeds[kind].map((one) => one[figure]))
    const ratioOf = (figure: keyof Speed) => round2(speed('ours', figure) / speed('plain', figure))
    return {
      ratio: ratioOf('perSecond'),
      cpu_ratio: ratioOf('perCpuSecond'),
      scans_per_second: Math.round(speed('ours', 'perSecond')),
      plain_scans_per_second: Math.round(speed('plain', 'perSecond')),
      scans_per_cpu_second: Math.round(speed('ours', 'perCpuSecond')),
      plain_scans_per_cpu_second: Math.round(speed('plain', 'perCpuSecond')),
      answer_ms: answerMs,
      s3_puts_per_scan: round2(callsOf['PUT'] ?? 0),
      s3_gets_per_scan: round2(callsOf['GET'] ?? 0),
      sqs_calls_per_scan: round2(callsOf['SendMessageBatch'] ?? 0),
      plain_sqs_calls_per_scan: 1,
    }
  } finally {
    await log.close()
    aws.close()
    await broker.stop()
  }
}

const round2 = (value: number) => Math.round(value * 100) / 100

/** Uploads of this very moment. */
const appendScans = async (log: EventLog, count: number) => {
  const lastModified = new Date(Math.floor(Date.now() / 1000) * 1000)
  const place = { bucket: 'images', cdnBaseUrl: 'https://cdn.example.com' }
  const writeScan = (index: number) => {
    const id = randomUUID().replaceAll('-', '')
    const made = makeKey({ purpose: 'scan', userId: `user-${index % 500}`, id, now: lastModified })
    if (!made.ok) throw new Error('this bench has no such users')
    const object = {
      key: made.facts.key,
      size: 48_213,
      contentType: 'image/jpeg',
      etag: id,
      lastModified,
      metadata: {},
    }
    return eventRecord(announceVerdict(place, made.facts, object, { kind: 'accepted', image }))
  }
  await log.append(Array.from({ length: count }, (_, index) => writeScan(index)))
}

type Surroundings = { aws: QuickAws; log: EventLog; brokers: string }

const measure = async (kind: Kind, { aws, log, brokers }: Surroundings): Promise<Speed> => {
  const { scans, from, until } = courses[kind]
  await passOver(kind, brokers)
  await appendScans(log, scans)
  const child = startSide(kind, aws.url, brokers)
  const start = aws.jobs()
  const reach = async (count: number) => {
    await eventually(() => aws.jobs() - start >= count, `${count} jobs by ${kind}`, patienceMs)
    const [reached, at] = [aws.jobs() - start, performance.now()]
    child.send('cpu')
    // What the side sends is its process.cpuUsage().
    const [{ user, system }] = (await once(child, 'message')) as [NodeJS.CpuUsage]
    return { reached, at, cpuSeconds: (user + system) / 1e6 }
  }
  const [begun, ended] = [await reach(from), await reach(until)]
  await eventually(() => aws.jobs() - start >= scans, `all jobs by ${kind}`, patienceMs)
  child.send('end')
  await once(child, 'exit')
  const count = ended.reached - begun.reached
  return {
    perSecond: (count * 1000) / (ended.at - begun.at),
    perCpuSecond: count / (ended.cpuSeconds - begun.cpuSeconds),
  }
}

/** A side does its own scans only, and not those of the other. */
const passOver = async (groupId: Kind, brokers: string) => {
  const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  await admin.resetOffsets({ groupId, topic: 'image.uploaded', earliest: false })
  await admin.disconnect()
}

const startSide = (kind: Kind, awsUrl: string, brokers: string) =>
  spawn('taskset', ['-c', workerCore, process.execPath, ...profiling(kind), 'bench/dispatcher-side.ts', kind], {
    env: {
      ...process.env,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'a-secret-of-this-bench',
      AWS_ENDPOINT_URL_S3: awsUrl,
      AWS_ENDPOINT_URL_SQS: awsUrl,
      S3_FORCE_PATH_STYLE: 'true',
      STATE_BUCKET: 'states',
      JOBS_QUEUE_URL: `${awsUrl}/000000000000/jobs.fifo`,
      KAFKA_BROKERS: brokers,
      KAFKA_GROUP_ID: kind,
      KAFKA_REPLICATION: '1',
      KAFKA_MIN_INSYNC: '1',
      HEALTH_PORT: '0',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
