import { randomUUID } from 'node:crypto'

import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'
import type { Log } from '#shared/runtime/log.ts'

import { describeProblem, problemTable, ProblemError } from './problems.ts'

/** What a request that failed is answered with. The cause of a failure of ours is told to the log alone. */
export const toProblem = (error: unknown, log: Log, requestId: string): ProblemError => {
  const problem = error instanceof ProblemError ? error : describeFailure(error)
  if (problemTable[problem.code].status >= 500) {
    log.error({ err: problem.cause, code: problem.code, request_id: requestId }, 'request failed')
  }
  return problem
}

const describeFailure = (cause: unknown) => {
  if (cause instanceof OutageError || cause instanceof SetupError || cause instanceof RefusalError) {
    const headers = { 'Retry-After': '5' }
    return new ProblemError('storage_unavailable', 'Try again in a few seconds.', { headers, cause })
  }
  // What node:http says when a client went away amid its body: hardly anybody is left to read the answer.
  if (cause instanceof Error && 'code' in cause && cause.code === 'ECONNRESET') {
    return new ProblemError('request_incomplete', 'Send as many bytes as Content-Length says.', { cause })
  }
  return new ProblemError('internal_error', 'The failure was logged under this request_id.', { cause })
}

/** A problem as an HTTP answer. Source of the media type: RFC 9457. */
export const writeProblem = (problem: ProblemError, requestId: string) => ({
  body: JSON.stringify(describeProblem(problem, requestId)),
  status: problemTable[problem.code].status,
  headers: { 'Content-Type': 'application/problem+json', ...problem.headers },
})

/** Those of every other answer, which the app's middleware sets. */
const bareHeaders = { 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' }

/** For requests that never reach a route, since no URL can be made of their target and Host header. */
export const answerUnreadable = () => {
  const requestId = randomUUID()
  const detail = 'Send a path that begins with a slash, and a Host header that is a host name and a port.'
  const { body, status, headers } = writeProblem(new ProblemError('invalid_target', detail), requestId)
  return new Response(body, {
    status,
    headers: { ...headers, ...bareHeaders, 'X-Request-Id': requestId },
  })
}
