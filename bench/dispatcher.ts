import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomUUID } from 'node:crypto'

import { kafkaEventLog } from '#shared/adapters/kafka/event-log.ts'
import { announceVerdict } from '#shared/domain/announce.ts'
import { eventRecord } from '#shared/domain/events.ts'
import { makeKey } from '#shared/domain/keys.ts'
import { topics } from '#shared/domain/resources.ts'
import type { EventLog } from '#shared/ports/event-log.ts'

import { startTestBroker } from '../test/support/kafka/broker.ts'
import { eventually } from '../test/support/eventually.ts'
import { median } from './median.ts'
import { openQuickAws, type QuickAws } from './quick-aws.ts'

const rounds = 3
const scans = 15_000
/** Of each round's scans the first ones warm the process up, and the last ones don't fill its concurrency. */
const [warmUp, measuredUntil] = [5_000, 14_500]
const patienceMs = 120_000
const image = { kind: 'image', type: 'image/jpeg', width: 640, height: 480, animated: false } as const

/**
 * Scans per second of CPU time from Kafka to SQS: our dispatcher, with its ledger and its announcements, and the plain one,
 * which has neither. Both against the same broker and the same quick S3 and SQS, each in a process of its own.
 */
export const benchDispatcher = async () => {
  const broker = await startTestBroker()
  if (!broker) throw new Error('this bench needs a Kafka broker')
  const aws = await openQuickAws()
  const log = kafkaEventLog({ KAFKA_BROKERS: broker.brokers.split(','), KAFKA_REPLICATION: 1, KAFKA_MIN_INSYNC: 1 })
  try {
    await log.ensureTopics(topics)
    const [ours, plain]: [number[], number[]] = [[], []]
    const callsOf: Record<string, number> = {}
    for (let round = 0; round < rounds; round++) {
      await appendScans(log)
      const before = new Map(aws.calls)
      ours.push(await measure('ours', aws, broker.brokers))
      for (const [name, count] of aws.calls) callsOf[name] = (count - (before.get(name) ?? 0)) / scans
      plain.push(await measure('plain', aws, broker.brokers))
    }
    return {
      ratio: round2(median(ours) / median(plain)),
      scans_per_cpu_second: round2(median(ours)),
      plain_scans_per_cpu_second: round2(median(plain)),
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
const appendScans = async (log: EventLog) => {
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
  await log.append(Array.from({ length: scans }, (_, index) => writeScan(index)))
}

/** Scans per second of CPU time, user and system. Each side goes on where it ended in the round before. */
const measure = async (kind: 'ours' | 'plain', aws: QuickAws, brokers: string): Promise<number> => {
  const child = spawn(process.execPath, ['bench/dispatcher-side.ts', kind], {
    env: {
      ...process.env,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'a-secret-of-this-bench',
      AWS_ENDPOINT_URL_S3: aws.url,
      AWS_ENDPOINT_URL_SQS: aws.url,
      S3_FORCE_PATH_STYLE: 'true',
      STATE_BUCKET: 'states',
      JOBS_QUEUE_URL: `${aws.url}/000000000000/jobs.fifo`,
      KAFKA_BROKERS: brokers,
      KAFKA_GROUP_ID: kind,
      KAFKA_REPLICATION: '1',
      KAFKA_MIN_INSYNC: '1',
      HEALTH_PORT: '0',
    },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const start = aws.jobs()
  const cpuAt = async (count: number) => {
    await eventually(() => aws.jobs() - start >= count, `${count} jobs by ${kind}`, patienceMs)
    const reached = aws.jobs() - start
    child.send('cpu')
    // What the side sends is its process.cpuUsage().
    const [{ user, system }] = (await once(child, 'message')) as [NodeJS.CpuUsage]
    return { reached, seconds: (user + system) / 1e6 }
  }
  const [from, to] = [await cpuAt(warmUp), await cpuAt(measuredUntil)]
  await eventually(() => aws.jobs() - start >= scans, `all jobs by ${kind}`, patienceMs)
  child.send('end')
  await once(child, 'exit')
  return (to.reached - from.reached) / (to.seconds - from.seconds)
}
