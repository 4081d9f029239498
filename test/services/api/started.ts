import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { after } from 'node:test'

import { lifetime } from '#shared/runtime/lifetime.ts'
import { listen } from '#shared/runtime/listen.ts'
import { openLog } from '#shared/runtime/log.ts'
import { run } from '#shared/runtime/run.ts'

import { api } from '../../../services/api/main.ts'
import { memoryStream, testSecret } from '../../support/api.ts'

/** What is undone after the tests of a file, in order. */
export const cleanups: (() => Promise<unknown>)[] = []
after(async () => {
  for (const clean of cleanups) await clean()
})

/** An S3 that answers as it is told; without an answer requests hang. */
export const openStubS3 = async (answer: (request: IncomingMessage, response: ServerResponse) => void) => {
  const server = createServer(answer)
  const { port } = await listen(server, '127.0.0.1', 0, 'AWS_PORT')
  cleanups.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${port}`
}

export const isAboutBucket = ({ url = '' }: IncomingMessage) => /^\/[\w-]+\/?$/.test(url)

/** Both buckets are there, and nothing is in them. */
export const answerEmpty = (question: IncomingMessage, response: ServerResponse) => {
  if (isAboutBucket(question)) response.end()
  else response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>')
}

export const emptyS3 = await openStubS3(answerEmpty)

/** All that the API needs; its S3 is empty. */
export const environment = (s3 = emptyS3) => ({
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'access-key-1',
  AWS_SECRET_ACCESS_KEY: 'secret-key-1',
  AWS_ENDPOINT_URL_S3: s3,
  S3_PUBLIC_ENDPOINT_URL: 'https://uploads.example.com',
  S3_FORCE_PATH_STYLE: 'true',
  S3_BUCKET: 'images-1',
  STATE_BUCKET: 'images-1-state',
  CDN_BASE_URL: 'https://cdn.example.com',
  JWT_SECRET: testSecret,
  PORT: '0',
  HEALTH_PORT: '0',
})

/** The API as its process runs it, on ports of its own. */
export const startApi = async (variables: Record<string, string>, options?: { localMode: boolean }) => {
  const logged = memoryStream()
  const log = openLog({ name: 'api', destination: logged.stream })
  const life = lifetime({ graceMs: 5_000 })
  const { parts, url } = await api(variables, options)({ log, life })
  const ended = run(parts, life, log)
  const stop = async () => {
    life.end('test')
    await ended
  }
  cleanups.push(stop)
  const health = /"health":"([^"]+)"/.exec(logged.text())?.[1] ?? ''
  return { url, health, life, ended, stop, logText: logged.text }
}
