import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'

import type { S3Client } from '@aws-sdk/client-s3'

import { s3ObjectStore } from '#shared/adapters/s3/object-store.ts'
import type { ObjectStore } from '#shared/ports/object-store.ts'
import { listenOnLoopback } from '../../../../local/aws/server.ts'
import { openClients } from '../aws/local.ts'

export type ScriptedAnswer = { status: number; headers?: Record<string, string>; body?: string }

export const s3Error = (status: number, code: string): ScriptedAnswer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>so it was</Message></Error>`,
})

/**
 * A store whose S3 says what the test wants; `requests` are the methods and URLs that it was asked, with `bodies`, and
 * `targets` the paths as they came.
 */
export const openScriptedS3 = async (
  context: TestContext,
  answer: (request: { method: string; url: URL; headers: IncomingMessage['headers'] }, count: number) => ScriptedAnswer,
): Promise<{ client: S3Client; store: ObjectStore; requests: string[]; targets: string[]; bodies: string[] }> => {
  const requests: string[] = []
  const targets: string[] = []
  const bodies: string[] = []
  const server = await listenOnLoopback((request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost')
    const { method = '', headers } = request
    targets.push(request.url ?? '')
    requests.push(`${method} ${url.pathname}${url.search}`)
    const { status, headers: answered = {}, body = '' } = answer({ method, url, headers }, requests.length)
    void text(request).then((sent) => {
      bodies.push(sent)
      response.writeHead(status, answered).end(body)
    })
  }, 0)
  const { s3, close } = openClients(server.url)
  context.after(async () => {
    close()
    await server.close()
  })
  return { client: s3, store: s3ObjectStore({ client: s3, bucket: 'images' }), requests, targets, bodies }
}
