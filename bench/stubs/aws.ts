import { hash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

import { z } from 'zod'

import { listen } from '#shared/runtime/listen.ts'

import { uploadsQueue, type UploadsQueue } from './queue.ts'

/** Requests by kind; `SQS` are those of all kinds. */
export type Calls = { GET: number; HEAD: number; PUT: number; SQS: number }

type World = { queue: UploadsQueue; calls: Calls; images: readonly Image[]; answerMs: number }
type Image = { bytes: Buffer; etag: string }

/**
 * An S3 and an SQS that look at no signature and count what they are asked, and answer at once until they are told to take
 * some time. A bucket holds an image under whatever key, and keeps nothing of what is put; all queues are one.
 */
export const openAwsStub = async (bucket: string, images: readonly Buffer[]) => {
  const calls: Calls = { GET: 0, HEAD: 0, PUT: 0, SQS: 0 }
  const queue = uploadsQueue(bucket)
  const world: World = {
    queue,
    calls,
    answerMs: 0,
    images: images.map((bytes) => ({ bytes, etag: `"${hash('md5', bytes)}"` })),
  }
  const server = createServer((request, response) => {
    answerRequest(world, request, response).catch((error: unknown) => response.destroy(error as Error)) // so it was thrown
  })
  server.keepAliveTimeout = 60_000
  const answerAfter = (answerMs: number) => void (world.answerMs = answerMs)
  const { port } = await listen(server, '127.0.0.1', 0, 'AWS_PORT')
  const close = () => {
    queue.stop()
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${port}`, calls, queue, answerAfter, close }
}

const answerRequest = async (world: World, request: IncomingMessage, response: ServerResponse) => {
  const { method = '', url = '' } = request
  if (world.answerMs > 0) await sleep(world.answerMs)
  if (method === 'POST') return answerQueue(world, request, response)
  request.resume()
  // The bucket itself is asked for at the start.
  if (url.split('/').length < 4) return void response.end()
  if (method === 'PUT') {
    world.calls.PUT++
    if (!request.readableEnded) await once(request, 'end')
    return void response.writeHead(200, { ...said, etag: '"d41d8cd98f00b204e9800998ecf8427e"' }).end()
  }
  answerObject(world, request, response)
}

/** What S3 says in every answer. */
const said = {
  'x-amz-id-2': 'eftixk72aD6Ap51TnqcoF8eFidJG9Z/2mkiDFu8yU9AS1ed4OpIszj7UDNEHGran',
  'x-amz-request-id': '318BC8BC148832E5',
  'x-amz-server-side-encryption': 'AES256',
  server: 'AmazonS3',
}

const answerObject = ({ calls, images }: World, request: IncomingMessage, response: ServerResponse) => {
  const { url = '', headers } = request
  const number = Number.parseInt(url.slice(-8), 16) || 0
  const image = images[number % images.length]
  if (!image) return void response.writeHead(404).end()
  const { bytes, etag } = image
  const about = {
    ...said,
    etag,
    'last-modified': 'Thu, 01 Jan 2026 00:00:00 GMT',
    'accept-ranges': 'bytes',
    'content-type': 'image/jpeg',
  }
  if (request.method === 'HEAD') {
    calls.HEAD++
    return void response.writeHead(200, { ...about, 'content-length': bytes.length }).end()
  }
  calls.GET++
  const [, from = '0', to = ''] = /^bytes=(\d+)-(\d+)/.exec(headers.range ?? '') ?? []
  const part = bytes.subarray(Number(from), to === '' ? bytes.length : Number(to) + 1)
  const range = `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`
  response.writeHead(206, { ...about, 'content-length': part.length, 'content-range': range }).end(part)
}

const inputSchema = z.object({
  MaxNumberOfMessages: z.number().default(1),
  WaitTimeSeconds: z.number().default(0),
  Entries: z.array(z.object({ Id: z.string(), ReceiptHandle: z.string() })).default([]),
  ReceiptHandle: z.string().default(''),
})

const answerQueue = async ({ queue, calls }: World, request: IncomingMessage, response: ServerResponse) => {
  const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '')
  const input = inputSchema.parse(JSON.parse(await text(request)))
  const answer = (value: object) => {
    const body = JSON.stringify(value)
    const length = Buffer.byteLength(body)
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': length }).end(body)
  }
  if (action !== 'GetQueueAttributes') calls.SQS++
  if (action === 'GetQueueAttributes') answer({ Attributes: {} })
  else if (action === 'ReceiveMessage') {
    queue.receive(input.MaxNumberOfMessages, input.WaitTimeSeconds, (messages) =>
      answer(messages.length > 0 ? { Messages: messages } : {}),
    )
  } else if (action === 'DeleteMessageBatch') {
    const done = input.Entries.map(({ Id, ReceiptHandle }) => ({ Id, isKnown: queue.remove(ReceiptHandle) }))
    const failed = done.filter(({ isKnown }) => !isKnown).map(({ Id }) => ({ Id, Code: 'Unknown', SenderFault: true }))
    answer({ Successful: done.filter(({ isKnown }) => isKnown).map(({ Id }) => ({ Id })), Failed: failed })
  } else if (action === 'DeleteMessage' && queue.remove(input.ReceiptHandle)) answer({})
  else throw new Error(`this queue can not do ${action}`)
}
