import type { Context } from 'hono'

import { ProblemError } from './problems.ts'

const maxBodyBytes = 16_384

/** The body as JSON. @throws ProblemError: body_too_large, invalid_json */
export const readJson = async (request: Context['req']): Promise<unknown> => {
  const text = await readText(request)
  try {
    return JSON.parse(text)
  } catch {
    throw new ProblemError('invalid_json')
  }
}

/** A body whose length was declared, and checked, has no more bytes than that: node:http sees to it. */
const readText = (request: Context['req']): Promise<string> => {
  const length = request.header('Content-Length')
  return length === undefined || request.header('Transfer-Encoding') !== undefined
    ? readStream(request.raw.body)
    : request.text()
}

/** Refuses a body by its declared length, before anything else is looked at. @throws ProblemError: body_too_large */
export const checkBodyLength = (request: Context['req']) => {
  if (Number(request.header('Content-Length') ?? 0) > maxBodyBytes) throw bodyTooLarge()
}

const readStream = async (body: AsyncIterable<Uint8Array> | null): Promise<string> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.length
    if (size > maxBodyBytes) throw bodyTooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const bodyTooLarge = () =>
  new ProblemError('body_too_large', `A request's body may have at most ${maxBodyBytes} bytes.`)
