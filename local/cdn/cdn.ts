import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** An object that is open for reading: `read` is called once, or `close` instead. */
export type CdnObject = {
  size: number
  /** Quoted. */
  etag: string
  headers: Readonly<Record<string, string>>
  modifiedMs: number
  read: (range?: { start: number; end: number }) => Readable
  close: () => Promise<void>
}
export type CdnOptions = {
  /** The path that stands before every key, with its last slash. */
  mount: string
  /** Only keys that begin with one of these are served. */
  prefixes: readonly string[]
  readObject: (key: string) => Promise<CdnObject | undefined>
}

type Answer = { status: number; headers: Readonly<Record<string, string>>; body?: Readable }

// The object is an upload: nothing in it may run, whatever type it claims.
const securityHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
}

/** Serves GET and HEAD of `{mount}{key}`, read-only; the query string says nothing. */
export const cdn =
  ({ mount, prefixes, readObject }: CdnOptions) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    const answer = async (): Promise<Answer> => {
      if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405, { allow: 'GET, HEAD' })
      const key = readKey(request.url ?? '', mount)
      if (key === undefined) return refuse(400)
      const object = prefixes.some((prefix) => key.startsWith(prefix)) ? await readObject(key) : undefined
      // CloudFront answers 403 for what is not there, as its origin may not be listed.
      return object ? serve(request, object) : refuse(403)
    }
    answer()
      .then((answered) => send(response, answered))
      .catch(() => {
        if (response.headersSent) response.destroy()
        else response.writeHead(502).end()
      })
  }

const readKey = (target: string, mount: string): string | undefined => {
  const [path = ''] = target.split('?')
  if (!path.startsWith(mount)) return undefined
  try {
    return decodeURIComponent(path.slice(mount.length))
  } catch {
    return undefined
  }
}

const serve = async ({ method, headers }: IncomingMessage, object: CdnObject): Promise<Answer> => {
  const described = describe(object)
  if (namesEtag(headers['if-none-match'], object.etag)) {
    await object.close()
    return { status: 304, headers: described }
  }
  const range = readRange(headers.range, object.size)
  const { status, length, extra } = plan(range, object.size)
  const answer = { status, headers: { ...described, 'content-length': String(length), ...extra } }
  if (method === 'GET' && length > 0)
    return { ...answer, body: object.read(range === 'unsatisfiable' ? undefined : range) }
  await object.close()
  return answer
}

type Range = { start: number; end: number } | 'unsatisfiable' | undefined

const plan = (range: Range, size: number) => {
  if (range === undefined) return { status: 200, length: size, extra: {} }
  if (range === 'unsatisfiable') return { status: 416, length: 0, extra: { 'content-range': `bytes */${size}` } }
  const extra = { 'content-range': `bytes ${range.start}-${range.end}/${size}` }
  return { status: 206, length: range.end - range.start + 1, extra }
}

/** One range of bytes; anything else is ignored, as RFC 9110 allows. */
const readRange = (header: string | undefined, size: number): Range => {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || first + last === '') return undefined
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  return start < size ? { start, end } : 'unsatisfiable'
}

const namesEtag = (condition: string | undefined, etag: string): boolean =>
  (condition ?? '').split(',').some((part) => ['*', etag].includes(part.trim().replace(/^W\//, '')))

const describe = ({ etag, headers, modifiedMs }: CdnObject): Record<string, string> => ({
  'content-type': headers['content-type'] ?? 'application/octet-stream',
  'cache-control': 'public, max-age=86400',
  'accept-ranges': 'bytes',
  'last-modified': new Date(modifiedMs).toUTCString(),
  etag,
  ...securityHeaders,
})

const refuse = (status: number, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { 'cache-control': 'no-store', ...securityHeaders, ...headers },
})

const send = async (response: ServerResponse, { status, headers, body }: Answer): Promise<void> => {
  response.writeHead(status, headers)
  if (!body) return void response.end()
  try {
    await pipeline(body, response)
  } finally {
    // A reader who has gone before his answer began is not piped to, and the file must be closed all the same.
    body.destroy()
  }
}
