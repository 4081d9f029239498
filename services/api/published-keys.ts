import {
  createRemoteJWKSet,
  customFetch,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
} from 'jose'

import type { Log } from '#shared/runtime/log.ts'

import { IssuerError, keySetFetcher } from './key-set.ts'
import { ProblemError } from './problems.ts'
import type { TokenKeys } from './token-keys.ts'

const fetchTimeoutMs = 1_500
/** Unknown key ids make the set be fetched again, but no sooner than this after the last time. */
const cooldownMs = 30_000
const renewAfterMs = 600_000

/**
 * A published set of keys. Once it was fetched, known keys wait for nobody: the set is renewed behind the callers' back,
 * and an issuer that is away locks out only who brings a key that is not known.
 */
export const publishedKeys = (url: string, options: JWTVerifyOptions, log: Log | undefined): TokenKeys => {
  let generation = 0
  let known = ''
  let renewedAtMs = Date.now()
  const find = createRemoteJWKSet(new URL(url), {
    timeoutDuration: fetchTimeoutMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: Infinity,
    [customFetch]: keySetFetcher(() => known !== ''),
  })

  const noteChange = () => {
    const found = JSON.stringify(find.jwks() ?? '')
    if (found === known || found === '""') return
    known = found
    generation++
  }
  const renewBehind = () => {
    if (known === '' || Date.now() - renewedAtMs < renewAfterMs) return
    renewedAtMs = Date.now()
    find
      .reload()
      .then(noteChange)
      .catch((error: unknown) => log?.warn({ err: error }, "could not renew the keys of the tokens' issuer"))
  }
  const findNoting: JWTVerifyGetKey = async (header, token) => {
    try {
      return await find(header, token)
    } finally {
      noteChange()
    }
  }
  let warned = -1
  /** Whoever brings a token of a key that can't be used repeats it: one line for each set of keys is enough. */
  const warnOfKey = (error: unknown) => {
    if (isOfToken(error) || warned === generation) return
    warned = generation
    log?.warn({ err: error }, "a key of the tokens' issuer cannot be used")
  }
  const verify = async (token: string) => {
    renewBehind()
    try {
      return (await jwtVerify(token, findNoting, options)).payload
    } catch (error) {
      if (error instanceof errors.JWKSMultipleMatchingKeys) return await verifyByAny(token, error, options)
      if (error instanceof IssuerError) throw keysUnavailable(error)
      warnOfKey(error)
      throw error
    }
  }
  const ping = async () => {
    if (known === '') await find.reload()
    noteChange()
  }
  return { verify, generation: () => generation, ping }
}

/** Of several keys under one id any may have signed; which cannot be used are passed over. */
const verifyByAny = async (
  token: string,
  keys: errors.JWKSMultipleMatchingKeys,
  options: JWTVerifyOptions,
): Promise<JWTPayload> => {
  for await (const key of keys) {
    try {
      return (await jwtVerify(token, key, options)).payload
    } catch (error) {
      if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed) throw error
    }
  }
  throw new errors.JWSSignatureVerificationFailed()
}

/** Everything that is held against a token is a JOSEError, but for the one that finds a private key in the set. */
const isOfToken = (error: unknown) => error instanceof errors.JOSEError && !(error instanceof errors.JWKSInvalid)

const keysUnavailable = (cause: unknown) =>
  new ProblemError('keys_unavailable', 'Tokens cannot be checked now. Try again in a few seconds.', {
    headers: { 'Retry-After': '5' },
    cause,
  })
