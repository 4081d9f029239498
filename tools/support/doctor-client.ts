import { createHash } from 'node:crypto'

import { z } from 'zod'

import type { Attempt, LockTicket, StoreAnswer } from './locks.ts'

/** Long enough for a store far away; longer is an answer too. */
const timeoutMs = 20_000

const ticketSchema = z.object({
  key: z.string(),
  upload_url: z.url(),
  required_headers: z.record(z.string(), z.string()),
  expires_in: z.int().positive(),
})
const problemSchema = z.object({ code: z.string(), detail: z.string() })
const metadataSchema = z.object({ status: z.string(), reason: z.string().optional() })

export type Metadata = z.infer<typeof metadataSchema>

/** What the doctor's images may be for: as the dispatcher comes, neither starts a paid job, and chat images go soonest. */
export const doctorPurposes = ['chat', 'profile'] as const
export type DoctorPurpose = (typeof doctorPurposes)[number]

/** The API as one user calls it. */
export const doctorClient = (apiUrl: string, token: string, purpose: DoctorPurpose = 'chat') => {
  const call = (method: string, path: string, body?: unknown) =>
    fetchOf(apiUrl)(`${apiUrl.replace(/\/+$/, '')}${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  return {
    askTicket: async (
      image: Uint8Array<ArrayBuffer>,
      { checksum }: { checksum: boolean },
    ): Promise<LockTicket & { expires_in: number }> => {
      const answer = await call('POST', `/images/presigned-url/${purpose}`, {
        content_type: 'image/png',
        content_length: image.length,
        ...(checksum && { checksum_sha256: createHash('sha256').update(image).digest('base64') }),
      })
      if (!answer.ok) throw new Error(`the API gave no ticket: ${await describeProblem(answer)}`)
      const ticket = ticketSchema.safeParse(await readJson(answer))
      if (ticket.success) return ticket.data
      throw new Error(`the API's ticket is none: ${z.prettifyError(ticket.error)}`)
    },
    readMetadata: async (key: string): Promise<Metadata | undefined> => {
      const answer = await call('GET', `/images/${key}/metadata`)
      return answer.ok ? metadataSchema.parse(await readJson(answer)) : undefined
    },
    /** @returns what was wrong, if anything */
    remove: async (key: string): Promise<string | undefined> => {
      const answer = await call('DELETE', `/images/${key}`)
      return answer.ok ? undefined : `${key} was not deleted: ${await describeProblem(answer)}`
    },
  }
}

export const sendToStore = async ({ url, ...attempt }: Attempt): Promise<StoreAnswer> => {
  const answer = await fetchOf(new URL(url).origin)(url, attempt)
  const code = /<Code>([^<]+)<\/Code>/.exec(await answer.text())?.[1]
  return { status: answer.status, code, allowedOrigin: answer.headers.get('access-control-allow-origin') }
}

/** A redirect would take an attack elsewhere, and fetch hides in the cause why it had no answer. */
const fetchOf = (where: string) => async (url: string, init: RequestInit) => {
  try {
    return await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) })
  } catch (error) {
    throw new Error(`no answer from ${where}: ${describeFailure(error)}`, { cause: error })
  }
}

const describeFailure = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `none within ${timeoutMs / 1000} s`
  // Of several addresses that were tried, each has its own failure, and the whole has no message.
  const cause: unknown = error.cause instanceof AggregateError ? error.cause.errors[0] : error.cause
  return cause instanceof Error ? cause.message : error.message
}

const readJson = async (answer: Response): Promise<unknown> => {
  try {
    return JSON.parse(await answer.text())
  } catch {
    return undefined
  }
}

const describeProblem = async (answer: Response) => {
  const problem = problemSchema.safeParse(await readJson(answer)).data
  if (problem) return `${answer.status} ${problem.code}: ${problem.detail}`
  const elsewhere = answer.headers.get('location')
  if (elsewhere !== null) return `it answered ${answer.status} and points to ${elsewhere}`
  return `it answered ${answer.status}. Is this the address of the API?`
}
