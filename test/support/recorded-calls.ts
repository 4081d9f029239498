import {
  createServer,
  request as forward,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'

import { listen } from '#shared/runtime/listen.ts'

export type RecordedCall = {
  method: string
  url: URL
  headers: IncomingHttpHeaders
  body: string
  status: number
  answer: string
}

/** A right of IAM that a call needs, on what, and what S3 and SQS tell IAM of the call. */
export type NeededRight = { action: string; resource: string; context: Readonly<Record<string, string>> }

type Hold = (message: IncomingMessage, calls: readonly RecordedCall[]) => Promise<unknown> | undefined

/** What is waited for before a call goes on, and before its answer does. */
export type Holds = { call?: Hold | undefined; answer?: Hold | undefined }

/** Stands before a path-style S3 and SQS, as one caller's own address, and keeps what that caller asks. */
export const openRecorder = async (target: string, holds: Holds = {}) => {
  const calls: RecordedCall[] = []

  const pass = async (message: IncomingMessage, response: ServerResponse) => {
    const { method = '', url = '', headers } = message
    const body = await buffer(message)
    // The event log's door is the local system's own, and no call of AWS.
    if (url === '/_events') return void response.end()
    await holds.call?.(message, calls)
    const call = forward(`${target}${url}`, { method, headers }).end(body)
    response.on('close', () => call.destroy())
    // The event's one argument, by Node's docs.
    const [from] = (await once(call, 'response')) as [IncomingMessage]
    const answer = await buffer(from)
    const status = from.statusCode ?? 0
    calls.push({ method, url: new URL(url, target), headers, body: String(body), status, answer: String(answer) })
    await holds.answer?.(message, calls)
    response.writeHead(status, from.headers).end(answer)
  }
  const server = createServer((message, response) => void pass(message, response).catch(() => response.destroy()))
  const port = await listen(server, '127.0.0.1', 0, 'AWS_PORT').then((taken) => taken.port)
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** The action of SQS that a call is, without what tells it from the same on many messages. */
export const queueAction = ({ headers }: RecordedCall): string | undefined =>
  /^AmazonSQS\.(.*?)(Batch)?$/.exec(String(headers['x-amz-target'] ?? ''))?.[1]

/**
 * What a call needs on AWS.
 * Sources: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations", "How to perform conditional writes";
 * Amazon S3 API Reference, GetObject (404 or 403), DeleteObjects; Amazon SQS Developer Guide, "Amazon SQS API permissions".
 */
export const rightsOf = (call: RecordedCall): NeededRight[] => {
  const action = queueAction(call)
  if (action === undefined) return bucketRights(call)
  const { QueueUrl = '' } = JSON.parse(call.body) as { QueueUrl?: string }
  return [{ action: `sqs:${action}`, resource: QueueUrl.slice(QueueUrl.lastIndexOf('/') + 1), context: {} }]
}

const bucketRights = (call: RecordedCall): NeededRight[] => {
  const { method, url, headers, status } = call
  const [, bucket = '', key = ''] = /^\/([^/]+)\/?(.*)$/.exec(decodeURIComponent(url.pathname)) ?? []
  const version = url.searchParams.has('versionId') ? 'Version' : ''
  const condition = headers['if-none-match']
  const context = {
    's3:authType': url.searchParams.has('X-Amz-Signature') ? 'REST-QUERY-STRING' : 'REST-HEADER',
    ...(condition !== undefined && { 's3:if-none-match': condition }),
  }
  const on = (action: string, resource = `${bucket}/${key}`, more = {}): NeededRight[] => [
    { action: `s3:${action}`, resource, context: { ...context, ...more } },
  ]
  // Whoever may not list is not told that something is missing.
  const missing = status === 404 && key !== '' ? on('ListBucket', bucket) : []
  const compared = headers['if-match'] === undefined ? [] : on('GetObject')
  const prefix = { 's3:prefix': url.searchParams.get('prefix') ?? '' }
  if (key === '') {
    if (method === 'HEAD') return on('ListBucket', bucket)
    if (url.searchParams.has('versions')) return on('ListBucketVersions', bucket, prefix)
    if (url.searchParams.has('delete')) return deletedOf(call).flatMap((one) => on(one.action, `${bucket}/${one.key}`))
    return on(`unknown call ${method} ${url.search}`, bucket)
  }
  switch (method) {
    case 'PUT':
      return [...on('PutObject'), ...compared, ...missing]
    case 'GET':
    case 'HEAD':
      return [...on(`GetObject${version}`), ...missing]
    case 'DELETE':
      return [...on('DeleteObject'), ...(version ? on('DeleteObjectVersion') : []), ...compared]
    default:
      return on(`unknown call ${method}`)
  }
}

/** Of many objects at once: "you must always specify the s3:DeleteObject permission", and the other for a version. */
const deletedOf = ({ body }: RecordedCall) =>
  [...body.matchAll(/<Object>(.*?)<\/Object>/gs)].flatMap(([, object = '']) => {
    const key = /<Key>(.*?)<\/Key>/.exec(object)?.[1] ?? ''
    const actions = object.includes('<VersionId>') ? ['DeleteObject', 'DeleteObjectVersion'] : ['DeleteObject']
    return actions.map((action) => ({ action, key }))
  })
