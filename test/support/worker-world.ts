import { writeFileSync } from 'node:fs'
import type { IncomingMessage, RequestListener } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'

import { scanAnalyzedSchema, type ScanAnalyzed } from '#shared/domain/events.ts'
import { jobKeys } from '#shared/domain/job-refs.ts'
import type { VisionJob } from '#shared/domain/jobs.ts'

import { openS3Of } from './client.ts'
import { eventually } from './eventually.ts'
import { openQueueOf, sendJob } from './queues.ts'
import { openSurroundings } from './services.ts'
import { startWorker } from './worker.ts'

/** What a worker asks for: an action of SQS, or a method and the path of S3 or of the door for events. */
const nameCall = ({ method = '', url = '', headers }: IncomingMessage) =>
  String(headers['x-amz-target'] ?? `${method} ${url.split('?')[0] ?? ''}`)

/** S3, SQS and a door for events that the example worker takes for a local system, and that hold or fail calls. */
export const openWorkerWorld = async (dataPath: string) => {
  const calls: string[] = []
  const answers: string[] = []
  const published: ScanAnalyzed[] = []
  const holds = new Map<RegExp, Promise<unknown>>()
  let isS3Away = false

  const answer = async (handle: RequestListener, ...[request, response]: Parameters<RequestListener>) => {
    const call = nameCall(request)
    calls.push(call)
    response.once('finish', () => answers.push(call))
    for (const [pattern, held] of holds) if (pattern.test(call)) await held
    if (request.url === '/_events') {
      published.push(scanAnalyzedSchema.parse(JSON.parse(await text(request))))
      return void response.writeHead(204).end()
    }
    if (isS3Away && call.includes(' ')) return void response.writeHead(503).end()
    handle(request, response)
  }
  const front = (handle: RequestListener): RequestListener => {
    return (request, response) => void answer(handle, request, response).catch(() => response.destroy())
  }
  const surroundings = await openSurroundings(dataPath, undefined, front)
  const system = surroundings.describe('http://127.0.0.1:9')
  writeFileSync(join(dataPath, 'local.json'), JSON.stringify(system))
  const jobs = openQueueOf(system, system.jobs_queue_url)
  const s3 = openS3Of(system)
  const workers: ReturnType<typeof startWorker>[] = []

  const start = () => {
    const worker = startWorker(dataPath)
    workers.push(worker)
    return worker
  }
  const send = (job: VisionJob, attributes?: Record<string, string>) => sendJob(jobs, job, attributes)
  const put = async (Bucket: string, Key: string, Body: string) =>
    (await s3.send(new PutObjectCommand({ Bucket, Key, Body }))).VersionId
  const read = async (Bucket: string, Key: string) => (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body
  const keysOf = ({ key, job_id }: VisionJob) => jobKeys({ jobId: job_id, date: key.split('/')[1] ?? '' })

  return {
    system,
    s3,
    jobs,
    calls,
    published,
    start,
    send,
    pass: surroundings.pass,
    /** Stores an image under the job's key. */
    putImage: (job: VisionJob, body = 'an image') => put(system.bucket, job.key, body),
    putFact: (job: VisionJob, fact: 'cancelled' | 'claimed' | 'result', body: string) =>
      put(system.state_bucket, keysOf(job)[fact], body),
    readFact: async (job: VisionJob, fact: 'claimed' | 'result') =>
      (await read(system.state_bucket, keysOf(job)[fact]))?.transformToString(),
    /** Holds all such calls, before they have any effect, until the returned function is called. */
    hold: (pattern: RegExp) => {
      const { promise, resolve } = Promise.withResolvers<undefined>()
      holds.set(pattern, promise)
      return () => {
        holds.delete(pattern)
        resolve(undefined)
      }
    },
    beAway: (away: boolean) => void (isS3Away = away),
    count: (pattern: RegExp) => calls.filter((call) => pattern.test(call)).length,
    asked: (pattern: RegExp, times = 1) =>
      eventually(() => calls.filter((call) => pattern.test(call)).length >= times, String(pattern), 30_000),
    answered: (pattern: RegExp) =>
      eventually(() => answers.some((call) => pattern.test(call)), String(pattern), 30_000),
    close: async () => {
      for (const { child } of workers) child.kill('SIGKILL')
      s3.destroy()
      await surroundings.close()
    },
  }
}

export type WorkerWorld = Awaited<ReturnType<typeof openWorkerWorld>>
