import { hash } from 'node:crypto'

import { errors } from 'jose'

import { encodeSubject } from '#shared/domain/subject.ts'
import type { Log } from '#shared/runtime/log.ts'

import { ProblemError } from './problems.ts'
import { clockToleranceSeconds, openTokenKeys, type IdentityConfig, type TokenKeys } from './token-keys.ts'

/** Who calls, by the token's subject. @throws ProblemError with 401, 403, or 503 when the keys can't be fetched */
export type Identify = (authorization: string | undefined) => Promise<string>

const maxTokenBytes = 8192
const maxHeaderBytes = maxTokenBytes + 'Bearer '.length + 100

/**
 * Reads bearer tokens (JWT). One that was verified is remembered until it expires, by its hash: a busy user costs one
 * check of a signature. A change of the published keys forgets them all.
 */
export const openIdentity = (config: IdentityConfig, log?: Log): Identify => identifyBy(openTokenKeys(config, log))

/** As `openIdentity`, by keys that are open. */
export const identifyBy = (keys: TokenKeys): Identify => {
  const remembered = rememberTokens()
  return async (authorization) => {
    const token = readBearer(authorization)
    const name = hash('sha256', token)
    const known = remembered.find(name, keys.generation())
    if (known !== undefined) return known
    if (!isCanonical(token)) throw tokenProblem('token_invalid', notAccepted)
    const { sub, exp = 0 } = await keys.verify(token).catch(refuseToken)
    const subject = checkSubject(sub)
    remembered.add(name, { subject, generation: keys.generation(), untilSeconds: exp + clockToleranceSeconds })
    return subject
  }
}

type Remembered = { subject: string; generation: number; untilSeconds: number }

const rememberTokens = (maxTokens = 10_000) => {
  // In the order in which they came: the earliest goes first.
  const tokens = new Map<string, Remembered>()
  return {
    find: (name: string, generation: number): string | undefined => {
      const token = tokens.get(name)
      if (!token) return undefined
      if (token.generation === generation && Date.now() / 1000 < token.untilSeconds) return token.subject
      tokens.delete(name)
      return undefined
    },
    add: (name: string, token: Remembered) => {
      tokens.set(name, token)
      if (tokens.size <= maxTokens) return
      for (const oldest of tokens.keys()) return void tokens.delete(oldest)
    },
  }
}

/** Source: RFC 6750, section 3. */
const challenge = (error?: string) => ({ 'WWW-Authenticate': error ? `Bearer error="${error}"` : 'Bearer' })

const tokenProblem = (code: 'token_invalid' | 'token_expired', detail: string, cause?: unknown) =>
  new ProblemError(code, detail, { headers: challenge('invalid_token'), cause })

const readBearer = (authorization: string | undefined) => {
  if (authorization === undefined) throw new ProblemError('token_missing', undefined, { headers: challenge() })
  const token =
    authorization.length <= maxHeaderBytes ? /^Bearer +([\w.~+/=-]+) *$/i.exec(authorization)?.[1] : undefined
  if (token !== undefined && token.length <= maxTokenBytes) return token
  const detail = `The Authorization header is not "Bearer" and a token of at most ${maxTokenBytes} characters.`
  throw tokenProblem('token_invalid', detail)
}

/**
 * Whether each part is base64url as its bytes are written: padding, or other last bits, would be a second spelling of a
 * token that was never issued so. Source: RFC 7515, section 2.
 */
const isCanonical = (token: string) =>
  token.split('.').every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)

const notAccepted = 'The token is not one that this service accepts.'

const refuseToken = (error: unknown): never => {
  if (error instanceof ProblemError) throw error
  if (error instanceof errors.JWTExpired) throw tokenProblem('token_expired', 'Ask for a new token.')
  if (error instanceof errors.JWTClaimValidationFailed) throw tokenProblem('token_invalid', describeClaim(error))
  throw tokenProblem('token_invalid', notAccepted, error)
}

const describeClaim = ({ claim, reason }: errors.JWTClaimValidationFailed) => {
  if (reason === 'missing') return `The token has no claim "${claim}".`
  if (claim === 'nbf') return 'The token is not valid yet (claim "nbf").'
  return `The token's claim "${claim}" is not the one that this service expects.`
}

const subjectProblems = {
  subject_empty: 'is empty',
  subject_not_unicode: 'is not Unicode text',
  subject_too_long: 'is too long: its form in a key may have at most 512 characters',
} as const

const checkSubject = (subject: unknown) => {
  if (typeof subject !== 'string') throw tokenProblem('token_invalid', 'The token\'s claim "sub" is not a text.')
  const encoded = encodeSubject(subject)
  if (encoded.ok) return subject
  throw new ProblemError('subject_not_usable', `The token's subject ${subjectProblems[encoded.code]}.`)
}
