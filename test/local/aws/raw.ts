import { request as httpRequest } from 'node:http'

export type RawRequest = {
  method?: string
  headers?: Record<string, string | string[]>
  /** Sent as it is; `length` claims another content-length, `null` sends chunks without one. */
  body?: string | Buffer
  length?: number | null
}
export type RawAnswer = { status: number; code: string; headers: NodeJS.Dict<string | string[]>; body: string }

/** Sends exactly what is given: no URL is normalised, no header is added but host and content-length. */
export const sendRaw = (
  url: string,
  { method = 'GET', headers = {}, body = '', length }: RawRequest = {},
): Promise<RawAnswer> =>
  new Promise((resolve, reject) => {
    const [, host = '', port = '', path = ''] = /^http:\/\/([^:/]+):(\d+)(.*)$/.exec(url) ?? []
    const framing =
      length === null
        ? { 'transfer-encoding': 'chunked' }
        : { 'content-length': String(length ?? Buffer.byteLength(body)) }
    const sent = method === 'PUT' || method === 'POST' || body !== '' ? { ...framing, ...headers } : headers
    const request = httpRequest({ host, port, path: path || '/', method, headers: sent, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        const code = /<Code>(.*?)<\/Code>/.exec(text)?.[1] ?? ''
        resolve({ status: response.statusCode ?? 0, code, headers: response.headers, body: text })
      })
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(body)
  })
