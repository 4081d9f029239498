import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'

import { z } from 'zod'

import type { ImageRejected, ImageUploaded, ScanDispatched } from '#shared/domain/events.ts'

import type { AwaitedResults } from './awaited-results.ts'

/** One step of one image's way, as it happens. `ms`: since the file's first step. */
export type Step = { file: string; ms: number; what: string; detail: string }

export type Watched = {
  verdict: (key: string) => Promise<ImageUploaded | ImageRejected>
  dispatch: (key: string) => Promise<ScanDispatched>
  results: Pick<AwaitedResults, 'expect'>
}

const types: Readonly<Record<string, string>> = {
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.gif': 'image/gif',
  '.avif': 'image/avif',
  '.heic': 'image/heic',
  '.heif': 'image/heif',
  '.svg': 'image/svg+xml',
}

/** The type that a file's name promises; its content may say otherwise, and then it is the watcher that tells. */
export const declaredType = (path: string) => types[extname(path).toLowerCase()] ?? 'application/octet-stream'

const ticketSchema = z.object({
  key: z.string(),
  upload_url: z.string(),
  method: z.string(),
  required_headers: z.record(z.string(), z.string()),
  job_id: z.string().optional(),
})
const problemSchema = z.object({ code: z.string(), detail: z.string() })

/**
 * Takes one file through the system as a client would: ticket, PUT, then waits for the verdict and, for a scan, the job.
 * The job's result is told when it comes, perhaps after this has resolved.
 * @returns whether the image was accepted (and, for a scan, its job dispatched)
 */
export const uploadImage = async (
  path: string,
  target: { apiUrl: string; token: string; purpose: string },
  watched: Watched,
  tell: (step: Step) => void,
): Promise<boolean> => {
  const body = await readFile(path)
  const started = performance.now()
  const say = (what: string, detail: string) =>
    tell({ file: basename(path), ms: performance.now() - started, what, detail })

  const contentType = declaredType(path)
  const ticket = await askTicket(target, contentType, body)
  if (!ticket.ok) {
    say('refused', ticket.problem)
    return false
  }
  const { key, upload_url, method, required_headers } = ticket.value
  say('ticket', key)
  const put = await fetch(upload_url, { method, headers: required_headers, body })
  if (!put.ok) {
    say('not stored', `S3 answered ${put.status}: ${(await put.text()).slice(0, 300)}`)
    return false
  }
  say('stored', `${body.length} bytes as ${contentType}, etag ${put.headers.get('etag') ?? ''}`)
  const verdict = await watched.verdict(key)
  if (verdict.type === 'image.rejected') {
    say('rejected', `${verdict.data.reason}: ${verdict.data.detail}`)
    return false
  }
  const { width, height, content_type, job_id } = verdict.data
  say('accepted', `${content_type}, ${width} x ${height} pixels, event ${verdict.id}`)
  if (job_id === undefined) return true
  const dispatched = await watched.dispatch(key)
  say('dispatched', `vision job ${dispatched.data.job_id}`)
  watched.results.expect(key, ({ data }) => say('analyzed', `${data.model} says ${JSON.stringify(data.result)}`))
  return true
}

const askTicket = async (
  { apiUrl, token, purpose }: { apiUrl: string; token: string; purpose: string },
  contentType: string,
  body: Buffer,
) => {
  const answer = await fetch(`${apiUrl}/images/presigned-url`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      purpose,
      content_type: contentType,
      content_length: body.length,
      checksum_sha256: createHash('sha256').update(body).digest('base64'),
    }),
  })
  const json: unknown = await answer.json()
  if (answer.ok) return { ok: true as const, value: ticketSchema.parse(json) }
  const problem = problemSchema.parse(json)
  return { ok: false as const, problem: `${answer.status} ${problem.code}: ${problem.detail}` }
}
