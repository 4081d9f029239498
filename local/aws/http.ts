import type { IncomingMessage } from 'node:http'

import { AwsError } from './errors.ts'

/** A request as it came over the wire: nothing folded, nothing normalised, percent-encoding undone exactly once. */
export type AwsRequest = {
  method: string
  path: string
  query: readonly (readonly [name: string, value: string])[]
  /** Lower-case names; a header that came twice holds both values joined by a comma, in order. */
  headers: ReadonlyMap<string, string>
  body: IncomingMessage
  sourceIp: string
}

/**
 * Reads the request line and headers. `request.url` is taken raw because URL parsers fold `..` away.
 * @throws AwsError InvalidURI when a percent-encoding is broken
 */
export const parseRequest = (message: IncomingMessage): AwsRequest => {
  const target = message.url ?? ''
  if (!target.startsWith('/')) throw invalidUri(target)
  const mark = target.indexOf('?')
  const rawPath = mark === -1 ? target : target.slice(0, mark)
  return {
    method: message.method ?? '',
    path: decodePercent(rawPath),
    query: mark === -1 ? [] : parseQuery(target.slice(mark + 1)),
    headers: joinHeaders(message.rawHeaders),
    body: message,
    sourceIp: message.socket.remoteAddress ?? '127.0.0.1',
  }
}

/** The value of a query parameter that may appear once. @throws AwsError InvalidArgument when it is repeated */
export const queryValue = (request: AwsRequest, name: string): string | undefined => {
  const values = request.query.filter(([key]) => key === name).map(([, value]) => value)
  if (values.length > 1)
    throw new AwsError('InvalidArgument', 400, `The query parameter ${name} is given more than once.`)
  return values[0]
}

/** Reads a small body whole. @throws AwsError MaxMessageLengthExceeded beyond `maxBytes` */
export const readBody = async (body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> => {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > maxBytes) throw new AwsError('MaxMessageLengthExceeded', 400, 'Your request was too large.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const parseQuery = (text: string): [string, string][] =>
  text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=')
      const [name, value] = equals === -1 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
      return [decodeForm(name), decodeForm(value)]
    })

const decodeForm = (text: string): string => decodePercent(text.replaceAll('+', ' '))

const decodePercent = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    throw invalidUri(text)
  }
}

const invalidUri = (uri: string) => new AwsError('InvalidURI', 400, "Couldn't parse the specified URI.", { URI: uri })

const joinHeaders = (raw: readonly string[]): ReadonlyMap<string, string> => {
  const headers = new Map<string, string>()
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase()
    const value = raw[index + 1] ?? ''
    const earlier = headers.get(name)
    headers.set(name, earlier === undefined ? value : `${earlier},${value}`)
  }
  return headers
}
