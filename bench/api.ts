import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'

import { SignJWT } from 'jose'

import { listen } from '#shared/runtime/listen.ts'

import { loadServer } from './load.ts'
import { median } from './median.ts'
import { profiling } from './profiling.ts'

const rounds = 5
const warmUpSeconds = 3
const seconds = 4
const connections = 64
const [serverCore, loadCore] = ['0', '1']

type Report = { cpu: { user: number; system: number } }
type Side = { url: string; report: () => Promise<Report>; end: () => void }
type Figures = { perCpuSecond: number; p99Ms: number }

/**
 * The ticket route by three servers, each on one core with the load on the other: ours, the same route from introductions,
 * and node:http with a fixed answer. Logs go to the null device on all sides.
 */
export const benchApi = async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const s3 = await openEmptyS3()
  const environment = {
    ...settings,
    AWS_ENDPOINT_URL_S3: s3.url,
    JWT_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'pem' }),
  }
  const claims = new SignJWT().setProtectedHeader({ alg: 'ES256' }).setSubject('user-1').setExpirationTime('1h')
  const request = writeRequest(await claims.sign(privateKey))
  spawnSync('taskset', ['-cp', loadCore, String(process.pid)])

  const ours = await openSide('ours', environment)
  const body = await fetchBody(ours.url, request)
  const sides = { ours, plain: await openSide('plain', environment), bare: await openSide('bare', environment, body) }
  try {
    return await compare(sides, request)
  } finally {
    for (const { end } of Object.values(sides)) end()
    s3.close()
  }
}

const settings = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'a-secret-of-this-bench',
  S3_FORCE_PATH_STYLE: 'true',
  S3_BUCKET: 'images-1',
  STATE_BUCKET: 'images-1-state',
  CDN_BASE_URL: 'https://cdn.example.com',
  RATE_LIMIT_PER_MINUTE: '1000000',
  PORT: '0',
  HEALTH_PORT: '0',
}

/** Answers that its buckets are there. */
const openEmptyS3 = async () => {
  const server = createServer((_, response) => response.end())
  const { port } = await listen(server, '127.0.0.1', 0, 'AWS_PORT')
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${port}`, close }
}

const writeRequest = (token: string) => {
  const body = JSON.stringify({ purpose: 'scan', content_type: 'image/jpeg', content_length: 48_213 })
  const lines = [
    'POST /images/presigned-url HTTP/1.1',
    'Host: 127.0.0.1:3000',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

const fetchBody = async (url: string, request: string) => {
  const [head = '', body = ''] = request.split('\r\n\r\n')
  const authorization = /Authorization: (.*)/.exec(head)?.[1] ?? ''
  const answer = await fetch(`${url}/images/presigned-url`, { method: 'POST', headers: { authorization }, body })
  return answer.text()
}

const openSide = async (kind: string, environment: Record<string, string | Buffer>, body = ''): Promise<Side> => {
  const file = join(import.meta.dirname, 'api-server.ts')
  const child = spawn('taskset', ['-c', serverCore, process.execPath, ...profiling(kind), file, kind, body], {
    env: { ...process.env, ...(environment as Record<string, string>) }, // a PEM is text
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const { url } = (await receive(child)) as { url: string } // our own process's first message
  const report = async () => {
    const answer = receive(child)
    child.send('report')
    return (await answer) as Report // our own process's answer
  }
  return { url, report, end: () => child.disconnect() }
}

const receive = async (child: ChildProcess): Promise<unknown> => {
  const answered = new AbortController()
  const { signal } = answered
  const died = once(child, 'exit', { signal }).then(() => Promise.reject(new Error('a server of the bench ended')))
  died.catch(() => undefined)
  const [message] = (await Promise.race([once(child, 'message', { signal }), died])) as unknown[] // once() gives any
  answered.abort()
  return message
}

/** Rounds of all sides in turn, so that the machine's moods meet all. */
const compare = async (sides: Record<'ours' | 'plain' | 'bare', Side>, request: string) => {
  const found = { ours: [] as Figures[], plain: [] as Figures[], bare: [] as Figures[] }
  for (const { url } of Object.values(sides)) await loadServer(url, request, { connections, seconds: warmUpSeconds })
  for (let round = 0; round < rounds; round++) {
    for (const name of ['ours', 'plain', 'bare'] as const) found[name].push(await measure(sides[name], request))
  }
  const of = (name: keyof typeof found, figure: keyof Figures) => median(found[name].map((each) => each[figure]))
  return {
    ratio: round2(of('ours', 'perCpuSecond') / of('plain', 'perCpuSecond')),
    p99_ratio: round2(of('plain', 'p99Ms') / of('ours', 'p99Ms')),
    share_of_bare_http: round2(of('ours', 'perCpuSecond') / of('bare', 'perCpuSecond')),
    per_cpu_second: Math.round(of('ours', 'perCpuSecond')),
    plain_per_cpu_second: Math.round(of('plain', 'perCpuSecond')),
    bare_per_cpu_second: Math.round(of('bare', 'perCpuSecond')),
    p99_ms: round2(of('ours', 'p99Ms')),
    plain_p99_ms: round2(of('plain', 'p99Ms')),
  }
}

const round2 = (figure: number) => Math.round(figure * 100) / 100

const measure = async ({ url, report }: Side, request: string): Promise<Figures> => {
  const before = await report()
  const { count, latenciesMs } = await loadServer(url, request, { connections, seconds })
  const { cpu } = await report()
  const cpuSeconds = (cpu.user + cpu.system - before.cpu.user - before.cpu.system) / 1e6
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  return { perCpuSecond: count / cpuSeconds, p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN }
}
