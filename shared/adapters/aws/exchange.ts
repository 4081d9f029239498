import { performance } from 'node:perf_hooks'

import type { Dispatcher } from 'undici'

export type HttpRequest = {
  origin: string
  /** Encoded, with its query; sent as it is, `..` included. */
  path: string
  method: 'GET' | 'HEAD' | 'PUT' | 'POST'
  headers: Readonly<Record<string, string>>
  body?: string
}

export type HttpAnswer = {
  status: number
  /** By lower-case names. */
  headers: Readonly<Record<string, string | string[] | undefined>>
  /** At most `maxBytes`, as they came: no content coding is undone. Of an error at most 16 KiB. */
  body: Buffer
  /** Whether the body had no more than that. */
  isWhole: boolean
}

export type Bounds = {
  maxBytes: number
  /** Longest time without a byte: before the headers, and between two pieces of the body. */
  silenceMs: number
  /** Longest time for the whole body; what trickles is never silent. */
  limitMs: number
}

/**
 * One request and its answer, whatever its status. A body that ends before its announced length is a failure, never a
 * short body; of one that is longer than `maxBytes` the rest is not read: its connection is closed.
 * Rejects with an AbortError when the signal aborts, else with what undici says.
 */
export const exchange = (
  dispatcher: Dispatcher,
  { origin, path, method, headers, body }: HttpRequest,
  bounds: Bounds,
  signal?: AbortSignal,
): Promise<HttpAnswer> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) throw abortError()
    const onAbort = () => collector.cut(abortError())
    const collector = collect(bounds, (answer) => {
      signal?.removeEventListener('abort', onAbort)
      if (answer instanceof Error) reject(answer)
      else resolve(answer)
    })
    signal?.addEventListener('abort', onAbort)
    const { silenceMs } = bounds
    const options = {
      origin,
      path,
      method,
      headers,
      body: body ?? null,
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
      // Without it undici gives up the connection of every HEAD.
      reset: false,
    }
    dispatcher.dispatch(options, collector.handler)
  })

/** AWS's errors have less than 1 KB. */
const maxErrorBytes = 16_384

/** Collects one answer and tells its end, once. `cut` ends it early, by closing its connection. */
const collect = ({ maxBytes, limitMs }: Bounds, end: (answer: HttpAnswer | Error) => void) => {
  const startedAt = performance.now()
  const chunks: Buffer[] = []
  let length = 0
  let most = maxBytes
  let [status, headers]: [number, HttpAnswer['headers']] = [0, {}]
  let controller: Dispatcher.DispatchController | undefined
  let ended: Error | true | undefined

  const tell = (answer: HttpAnswer | Error) => {
    if (ended) return
    ended = answer instanceof Error ? answer : true
    end(answer)
  }
  const cut = (reason: Error) => {
    tell(reason)
    controller?.abort(reason)
  }
  const tellAnswer = (isWhole: boolean) => tell({ status, headers, body: join(chunks, most), isWhole })
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart: (started) => {
      controller = started
      // It waited for a connection for longer than its caller did.
      if (ended instanceof Error) started.abort(ended)
    },
    onResponseStart: (_, answered, answeredHeaders) => {
      ;[status, headers] = [answered, answeredHeaders]
      most = status < 300 ? maxBytes : maxErrorBytes
    },
    onResponseData: (_, chunk) => {
      chunks.push(chunk)
      length += chunk.length
      if (length > most) {
        tellAnswer(false)
        cut(new Error('the rest is not wanted'))
      } else if (performance.now() - startedAt > limitMs) cut(timeoutError(limitMs))
    },
    onResponseEnd: () => tellAnswer(true),
    onResponseError: (_, error) => tell(error),
  }
  return { handler, cut }
}

const join = (chunks: readonly Buffer[], maxBytes: number) => {
  const [first] = chunks
  const all = first && chunks.length === 1 ? first : Buffer.concat(chunks)
  return all.length > maxBytes ? all.subarray(0, maxBytes) : all
}

const abortError = () => Object.assign(new Error('the request was aborted'), { name: 'AbortError' })

const timeoutError = (limitMs: number) =>
  Object.assign(new Error(`the answer took more than ${limitMs} ms`), { name: 'TimeoutError' })
