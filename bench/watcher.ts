import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import sharp from 'sharp'

import { topics } from '#shared/domain/resources.ts'

import { seededRandom } from '../test/support/random.ts'
import { median } from './median.ts'
import { profiling } from './profiling.ts'
import { openAwsStub, type Calls } from './stubs/aws.ts'
import { openKafkaBroker } from './stubs/kafka-broker.ts'

const rounds = 3
/** So many messages of each side take some seconds. */
const courses = {
  /** What S3 and SQS take at best, asked from their own region. */
  usual: { answerMs: 5, messages: { ours: 15_000, single: 150, batched: 1_000 } },
  atOnce: { answerMs: 0, messages: { ours: 15_000, single: 1_000, batched: 1_000 } },
} as const
const idleSeconds = 10
const settleMs = 2_000
const [workerCore, stubCore] = ['0', '1']
const bucket = 'images-1'

type Round = Calls & { perSecond: number; perCpuSecond: number; produces: number }
type Kind = 'ours' | 'single' | 'batched'
type Course = (typeof courses)[keyof typeof courses]
type Side = {
  work: (course: Course) => Promise<Round>
  cpuSeconds: () => Promise<number>
  end: () => void
}

/**
 * The upload-watcher and the ordinary glue that does the same work, each on one core with S3, SQS and Kafka on the other:
 * stubs of the same code for each. `single` is the glue as sqs-consumer's introduction has it, one message at a time;
 * `batched` takes ten at once and deletes them together. `ratio` compares the messages per second of that one core with
 * `single` where S3 and SQS answer at once, `cpu_ratio` those per second of CPU time. `ratio_usual` has them answer after
 * 5 ms: it shows what waiting for one message at a time costs, and says little of the work per message. Each reads the
 * first 64 KB of an image. Logs go to the null device on all sides.
 */
export const benchWatcher = async () => {
  spawnSync('taskset', ['-acp', stubCore, String(process.pid)])
  const images = await Promise.all([1, 2, 3, 4].map(takePhoto))
  const sides = {
    ours: await openSide('ours', images),
    single: await openSide('single', images),
    batched: await openSide('batched', images),
  }
  try {
    return await compare(sides)
  } finally {
    for (const { end } of Object.values(sides)) end()
  }
}

/** A photo as phones send them after scaling down: 1600 by 1200 pixels, about 200 KB. */
const takePhoto = (seed: number): Promise<Buffer> => {
  const random = seededRandom(seed)
  const [width, height, channels] = [200, 150, 3] as const
  const pixels = Buffer.from(Array.from({ length: width * height * channels }, () => random() * 256))
  const picture = sharp(pixels, { raw: { width, height, channels } }).resize(1600, 1200)
  return picture
    .withExif({ IFD0: { Make: 'Bench', Model: 'One' } })
    .jpeg({ quality: 80 })
    .toBuffer()
}

const openSide = async (kind: Kind, images: readonly Buffer[]): Promise<Side> => {
  const aws = await openAwsStub(bucket, images)
  const broker = await openKafkaBroker(topics)
  const file = join(import.meta.dirname, 'watcher-worker.ts')
  const child = spawn('taskset', ['-c', workerCore, process.execPath, ...profiling(kind), file, kind], {
    env: { ...process.env, ...environmentOf(aws.url, broker.address) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const died = once(child, 'exit').then(() => Promise.reject(new Error(`the worker ${kind} ended`)))
  died.catch(() => undefined)
  const cpuSeconds = () => Promise.race([readCpuSeconds(child), died])

  const work = async (course: Course): Promise<Round> => {
    const messages = course.messages[kind]
    aws.answerAfter(course.answerMs)
    const fill = aws.queue.prepare(messages)
    const before = { ...aws.calls, ...broker.produced, cpu: await cpuSeconds(), at: performance.now() }
    await Promise.race([fill(), died])
    const seconds = (performance.now() - before.at) / 1000
    const cpu = (await cpuSeconds()) - before.cpu
    const records = broker.produced.records - before.records
    const [GET, HEAD] = [aws.calls.GET - before.GET, aws.calls.HEAD - before.HEAD]
    const [PUT, SQS] = [aws.calls.PUT - before.PUT, aws.calls.SQS - before.SQS]
    const produces = broker.produced.requests - before.requests
    if (records !== messages || PUT !== messages || GET !== messages)
      throw new Error(`${kind}: ${messages} messages made ${GET} GETs, ${records} records and ${PUT} PUTs`)
    aws.answerAfter(0)
    return { perSecond: messages / seconds, perCpuSecond: messages / cpu, GET, HEAD, PUT, SQS, produces }
  }
  const end = () => {
    child.disconnect()
    aws.close()
    broker.close()
  }
  return { work, cpuSeconds, end }
}

const environmentOf = (awsUrl: string, broker: string) => ({
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'a-secret-of-this-bench',
  AWS_ENDPOINT_URL_S3: awsUrl,
  AWS_ENDPOINT_URL_SQS: awsUrl,
  S3_FORCE_PATH_STYLE: 'true',
  S3_BUCKET: bucket,
  STATE_BUCKET: `${bucket}-state`,
  UPLOADS_QUEUE_URL: `${awsUrl}/123456789012/image-uploads`,
  QUARANTINE_QUEUE_URL: `${awsUrl}/123456789012/image-quarantine`,
  CDN_BASE_URL: 'https://cdn.example.com',
  EVENT_LOG: 'kafka',
  KAFKA_BROKERS: broker,
  KAFKA_REPLICATION: '1',
  KAFKA_MIN_INSYNC: '1',
  HEALTH_PORT: '0',
})

const readCpuSeconds = async (child: ChildProcess): Promise<number> => {
  child.send('cpu')
  const [{ cpu }] = (await once(child, 'message')) as [{ cpu: NodeJS.CpuUsage }] // our own process's answer
  return (cpu.user + cpu.system) / 1e6
}

const compare = async (sides: Record<Kind, Side>) => {
  const [usual, atOnce] = [await measure(sides, courses.usual), await measure(sides, courses.atOnce)]
  const each = (kind: Kind, figure: keyof Round) => round3(atOnce(kind, figure) / courses.atOnce.messages[kind])
  const ratio = (of: Figures, kind: Kind, figure: 'perSecond' | 'perCpuSecond' = 'perSecond') =>
    round3(of('ours', figure) / of(kind, figure))
  return {
    ratio: ratio(atOnce, 'single'),
    ratio_to_batched: ratio(atOnce, 'batched'),
    cpu_ratio: ratio(atOnce, 'single', 'perCpuSecond'),
    cpu_ratio_to_batched: ratio(atOnce, 'batched', 'perCpuSecond'),
    messages_per_second: Math.round(atOnce('ours', 'perSecond')),
    single_messages_per_second: Math.round(atOnce('single', 'perSecond')),
    batched_messages_per_second: Math.round(atOnce('batched', 'perSecond')),
    usual_answer_ms: courses.usual.answerMs,
    ratio_usual: ratio(usual, 'single'),
    ratio_to_batched_usual: ratio(usual, 'batched'),
    messages_per_cpu_second: Math.round(atOnce('ours', 'perCpuSecond')),
    gets_per_image: each('ours', 'GET') + each('ours', 'HEAD'),
    puts_per_image: each('ours', 'PUT'),
    sqs_requests_per_image: each('ours', 'SQS'),
    kafka_requests_per_image: each('ours', 'produces'),
    batched_gets_per_image: each('batched', 'GET') + each('batched', 'HEAD'),
    batched_sqs_requests_per_image: each('batched', 'SQS'),
    idle_cpu_percent: round3(await measureIdle(sides.ours)),
  }
}

type Figures = (kind: Kind, figure: keyof Round) => number

/** Rounds of all sides in turn, so that the machine's moods meet all; the first is not counted. */
const measure = async (sides: Record<Kind, Side>, course: Course): Promise<Figures> => {
  const found: Record<Kind, Round[]> = { ours: [], single: [], batched: [] }
  for (let round = 0; round <= rounds; round++) {
    for (const kind of ['ours', 'single', 'batched'] as const) {
      const figures = await sides[kind].work(course)
      if (round > 0) found[kind].push(figures)
    }
  }
  return (kind, figure) => median(found[kind].map((round) => round[figure]))
}

const round3 = (figure: number) => Math.round(figure * 1000) / 1000

const measureIdle = async ({ cpuSeconds }: Side) => {
  await sleep(settleMs)
  const before = await cpuSeconds()
  await sleep(idleSeconds * 1000)
  return (((await cpuSeconds()) - before) / idleSeconds) * 100
}
