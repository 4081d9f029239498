import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'

import { signHeaders } from '#shared/adapters/aws/header-signature.ts'
import { listen } from '#shared/runtime/listen.ts'

import type { LockTicket } from '../../tools/support/locks.ts'

export type Seen = {
  method: string
  url: URL
  headers: IncomingMessage['headers']
  body: Buffer
  /** The ticket that was issued for this key. */
  ticket: LockTicket | undefined
  stored: boolean
}

/** Which requests a store with one lock open lets in, although its signature, its policy or its state forbids them. */
export type Leak = (seen: Seen) => boolean

type Signing = { region: string; credentials: { accessKeyId: string; secretAccessKey: string } }

/**
 * A door in front of a strict S3: what `leak` says goes in under the bucket owner's signature, all else as it came. A
 * preflight that leaks is answered as for every origin.
 */
export const openLeakyS3 = async (s3Url: string, { region, credentials }: Signing) => {
  const tickets = new Map<string, LockTicket>()
  const stored = new Set<string>()
  let leak: Leak = () => false

  const answer = async (message: IncomingMessage, response: ServerResponse) => {
    const url = new URL(message.url ?? '', s3Url)
    const { method = '', headers } = message
    const body = await buffer(message)
    const seen = { method, url, headers, body, ticket: tickets.get(url.pathname), stored: stored.has(url.pathname) }
    if (!leak(seen)) pass(message.url ?? '', seen, headers, response)
    else if (method === 'OPTIONS') response.writeHead(200, { 'access-control-allow-origin': '*' }).end()
    else pass(withoutSignature(url), seen, signAsOwner(seen), response)
  }
  const signAsOwner = ({ method, url, headers }: Seen) =>
    signHeaders(
      {
        method,
        canonicalPath: url.pathname,
        query: listQuery(url),
        headers: {
          host: new URL(s3Url).host,
          'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
          ...(headers['content-type'] && { 'content-type': headers['content-type'] }),
        },
        payloadHash: 'UNSIGNED-PAYLOAD',
      },
      { region, service: 's3' },
      credentials,
      new Date(),
    )
  const pass = (path: string, seen: Seen, headers: IncomingMessage['headers'], response: ServerResponse) => {
    const length = seen.method === 'PUT' ? { 'content-length': String(seen.body.length) } : {}
    const options = { method: seen.method, path, headers: { ...headers, ...length } }
    const inner = httpRequest(s3Url, options, (from) => {
      if (seen.method === 'PUT' && from.statusCode === 200) stored.add(seen.url.pathname)
      response.writeHead(from.statusCode ?? 500, from.headers)
      from.pipe(response)
    })
    inner.on('error', () => response.destroy())
    inner.end(seen.body)
  }

  const server = createServer((message, response) => void answer(message, response))
  const { port } = await listen(server, '127.0.0.1', 0, 'AWS_PORT')
  return {
    url: `http://127.0.0.1:${port}`,
    open: (which: Leak) => (leak = which),
    issued: (ticket: LockTicket) => void tickets.set(new URL(ticket.upload_url).pathname, ticket),
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

/** What is left of a query when its signature is gone: that of a listing, in the order in which it is signed. */
const listQuery = ({ searchParams }: URL) => {
  const kept = [...searchParams].filter(([name]) => !name.startsWith('X-Amz-') && name !== 'x-id')
  return new URLSearchParams(kept.toSorted()).toString()
}

const withoutSignature = (url: URL) => [url.pathname, listQuery(url)].filter(Boolean).join('?')
