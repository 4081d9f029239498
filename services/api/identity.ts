import {
  createRemoteJWKSet,
  errors,
  jwtVerify,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  type JWTVerifyResult,
} from 'jose'

import { encodeSubject } from '#shared/domain/subject.ts'

import { ProblemError } from './problems.ts'
import { asymmetricAlgorithms, type VerificationKey } from './public-key.ts'

/** Who calls, by the token's subject. @throws ProblemError with 401, 403, or 503 when the keys can't be fetched */
export type Identify = (authorization: string | undefined) => Promise<string>

export type IdentityConfig = {
  JWT_SECRET?: string | undefined
  JWT_PUBLIC_KEY?: VerificationKey | undefined
  JWKS_URL?: string | undefined
  JWT_ISSUER?: string | undefined
  JWT_AUDIENCE?: string | undefined
}

const maxTokenBytes = 8192
const clockToleranceSeconds = 5

/** Reads bearer tokens (JWT) with the one key that is configured; the key decides which algorithms are taken. */
export const openIdentity = (config: IdentityConfig): Identify => {
  const verify = openVerifier(config)
  return async (authorization) => {
    const token = readBearer(authorization)
    const { payload } = await verify(token).catch(refuseToken)
    return checkSubject(payload.sub)
  }
}

type Verify = (token: string) => Promise<JWTVerifyResult>

const openVerifier = (config: IdentityConfig): Verify => {
  const { JWT_SECRET, JWT_PUBLIC_KEY, JWKS_URL } = config
  if (JWT_SECRET !== undefined) {
    const secret = new TextEncoder().encode(JWT_SECRET)
    return (token) => jwtVerify(token, secret, claims(config, ['HS256']))
  }
  if (JWT_PUBLIC_KEY !== undefined) {
    const { key, algorithms } = JWT_PUBLIC_KEY
    return (token) => jwtVerify(token, key, claims(config, algorithms))
  }
  if (JWKS_URL === undefined) throw new TypeError('openIdentity needs a key: readApiConfig makes sure of one')
  const keys = publishedKeys(JWKS_URL)
  return (token) => jwtVerify(token, keys, claims(config, asymmetricAlgorithms))
}

const claims = ({ JWT_ISSUER, JWT_AUDIENCE }: IdentityConfig, algorithms: readonly string[]): JWTVerifyOptions => ({
  algorithms: [...algorithms],
  clockTolerance: clockToleranceSeconds,
  requiredClaims: ['sub', 'exp'],
  ...(JWT_ISSUER === undefined ? {} : { issuer: JWT_ISSUER }),
  ...(JWT_AUDIENCE === undefined ? {} : { audience: JWT_AUDIENCE }),
})

/** What a key set's look-up holds against the token; anything else means that there are no keys to look in. */
const tokenFaults = [errors.JWKSNoMatchingKey, errors.JWKSMultipleMatchingKeys, errors.JOSENotSupported]

const publishedKeys = (url: string): JWTVerifyGetKey => {
  const find = createRemoteJWKSet(new URL(url), { timeoutDuration: 1_500 })
  return async (header, token) => {
    try {
      return await find(header, token)
    } catch (error) {
      if (tokenFaults.some((fault) => error instanceof fault)) throw error
      const headers = { 'Retry-After': '5' }
      const detail = 'Tokens cannot be checked now. Try again in a few seconds.'
      throw new ProblemError('keys_unavailable', detail, { headers, cause: error })
    }
  }
}

/** Source: RFC 6750, section 3. */
const challenge = (error?: string) => ({ 'WWW-Authenticate': error ? `Bearer error="${error}"` : 'Bearer' })

const tokenProblem = (code: 'token_invalid' | 'token_expired', detail: string, cause?: unknown) =>
  new ProblemError(code, detail, { headers: challenge('invalid_token'), cause })

const readBearer = (authorization: string | undefined) => {
  if (authorization === undefined) {
    const detail = 'Send the header "Authorization: Bearer <token>".'
    throw new ProblemError('token_missing', detail, { headers: challenge() })
  }
  const token = /^Bearer +([\w.~+/=-]+) *$/i.exec(authorization)?.[1]
  if (token !== undefined && token.length <= maxTokenBytes) return token
  const detail = `The Authorization header is not "Bearer" and a token of at most ${maxTokenBytes} characters.`
  throw tokenProblem('token_invalid', detail)
}

const refuseToken = (error: unknown): never => {
  if (error instanceof ProblemError) throw error
  if (error instanceof errors.JWTExpired) throw tokenProblem('token_expired', 'Ask for a new token.')
  if (error instanceof errors.JWTClaimValidationFailed) throw tokenProblem('token_invalid', describeClaim(error))
  throw tokenProblem('token_invalid', 'The token is not one that this service accepts.', error)
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
