import { jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose'

import type { Log } from '#shared/runtime/log.ts'

import { asymmetricAlgorithms, type VerificationKey } from './public-key.ts'
import { publishedKeys } from './published-keys.ts'

export type IdentityConfig = {
  JWT_SECRET?: string | undefined
  JWT_PUBLIC_KEY?: VerificationKey | undefined
  JWKS_URL?: string | undefined
  JWT_ISSUER?: string | undefined
  JWT_AUDIENCE?: string | undefined
}

export type TokenKeys = {
  /** The claims of a token that is right. @throws errors of jose, or ProblemError when there are no keys to check it with */
  verify: (token: string) => Promise<JWTPayload>
  /** Rises when the keys have changed: what was verified before is to be verified anew. */
  generation: () => number
  /** Resolves when tokens can be checked; of published keys, once they were fetched. @throws IssuerError */
  ping: () => Promise<void>
}

/** Clocks may differ by so much. */
export const clockToleranceSeconds = 5

/** The one key, or published set of keys, that is configured; the key decides which algorithms are taken. */
export const openTokenKeys = (config: IdentityConfig, log?: Log): TokenKeys => {
  const { JWT_SECRET, JWT_PUBLIC_KEY, JWKS_URL } = config
  if (JWT_SECRET !== undefined) {
    const secret = new TextEncoder().encode(JWT_SECRET)
    return fixed(async (token) => (await jwtVerify(token, secret, claims(config, ['HS256']))).payload)
  }
  if (JWT_PUBLIC_KEY !== undefined) {
    const { key, algorithms } = JWT_PUBLIC_KEY
    return fixed(async (token) => (await jwtVerify(token, key, claims(config, algorithms))).payload)
  }
  if (JWKS_URL === undefined) throw new TypeError('openTokenKeys needs a key: readApiConfig makes sure of one')
  return publishedKeys(JWKS_URL, claims(config, asymmetricAlgorithms), log)
}

const fixed = (verify: TokenKeys['verify']): TokenKeys => ({
  verify,
  generation: () => 0,
  ping: () => Promise.resolve(),
})

const claims = ({ JWT_ISSUER, JWT_AUDIENCE }: IdentityConfig, algorithms: readonly string[]): JWTVerifyOptions => ({
  algorithms: [...algorithms],
  clockTolerance: clockToleranceSeconds,
  requiredClaims: ['sub', 'exp'],
  ...(JWT_ISSUER === undefined ? {} : { issuer: JWT_ISSUER }),
  ...(JWT_AUDIENCE === undefined ? {} : { audience: JWT_AUDIENCE }),
})
