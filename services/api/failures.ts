import { CredentialsError, OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'
import type { Log } from '#shared/runtime/log.ts'

import type { Answer } from './answers.ts'
import { describeProblem, problemTable, ProblemError } from './problems.ts'

/** The answer to a request that failed. The cause of a failure of ours is told to the log alone. */
export const answerFailure = (error: unknown, log: Log, requestId: string): Answer => {
  const problem = error instanceof ProblemError ? error : describeFailure(error)
  if (problemTable[problem.code].status >= 500) {
    log.error({ err: problem.cause, code: problem.code, request_id: requestId }, 'request failed')
  }
  return writeProblem(problem, requestId)
}

const headers = { 'Retry-After': '5' }

const describeFailure = (cause: unknown) => {
  if (cause instanceof CredentialsError) {
    const detail = 'The service has no credentials to ask the image store with. Try again in a few seconds.'
    return new ProblemError('credentials_unavailable', detail, { headers, cause })
  }
  if (cause instanceof OutageError || cause instanceof SetupError || cause instanceof RefusalError) {
    return new ProblemError('storage_unavailable', 'Try again in a few seconds.', { headers, cause })
  }
  // What node:http says when a client went away amid its body: hardly anybody is left to read the answer.
  if (cause instanceof Error && 'code' in cause && cause.code === 'ECONNRESET') {
    return new ProblemError('request_incomplete', undefined, { cause })
  }
  return new ProblemError('internal_error', 'The failure was logged under this request_id.', { cause })
}

/** A problem as an HTTP answer. Source of the media type: RFC 9457. */
export const writeProblem = (problem: ProblemError, requestId: string): Answer => ({
  body: JSON.stringify(describeProblem(problem, requestId)),
  status: problemTable[problem.code].status,
  headers: { 'Content-Type': 'application/problem+json', ...problem.headers },
})
