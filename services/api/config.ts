import { z } from 'zod'

import { localJwtSecret } from '#shared/domain/local-mode.ts'
import {
  booleanSchema,
  ConfigError,
  portSchema,
  readConfig,
  urlSchema,
  variable,
  wholeNumber,
  wholeUrlSchema,
  type Config,
  type Variables,
} from '#shared/runtime/config.ts'

import { publicKeySchema } from './public-key.ts'

export const apiVariables = {
  PORT: variable('Port of the API; 0 lets the system choose.', '3000', portSchema.default(3000)),
  S3_PUBLIC_ENDPOINT_URL: variable(
    "Where uploaders reach S3, when that is not the services' own address; tickets name it.",
    'https://uploads.example.com',
    urlSchema.optional(),
  ),
  TICKET_SECONDS: variable('How long a ticket can be used.', '300', wholeNumber({ min: 60, max: 900 }).default(300)),
  S3_CREATE_ONLY: variable(
    'Whether tickets let an image be created only. False is for stores without conditional writes: a ticket can then replace its image.',
    'true',
    booleanSchema.default(true),
  ),
  RATE_LIMIT_PER_MINUTE: variable(
    'Calls that a user may make a minute, and at once after a rest; 0: no limit. Each instance counts by itself.',
    '1200',
    wholeNumber({ max: 1_000_000 }).default(1200),
  ),
  MAX_CONNECTIONS: variable(
    'Connections that the API holds at once; more are refused.',
    '10000',
    wholeNumber({ min: 1, max: 1_000_000 }).default(10_000),
  ),
  DRAIN_SECONDS: variable(
    'How long the API answers on after it was told to stop, not ready any more, while load balancers hear of it.',
    '15',
    wholeNumber({ max: 15 }).default(0),
  ),
  JWT_SECRET: variable(
    'Secret that tokens are signed with (HS256), at least 32 characters. One of the three keys is needed.',
    'a-long-random-text-of-at-least-32-characters',
    z.string().min(32, { error: 'is shorter than 32 characters' }).optional(),
    { secret: true },
  ),
  JWT_PUBLIC_KEY: variable(
    'Public key that tokens are signed with, as PEM (RSA, EC or Ed25519); \\n stands for a line end.',
    '"-----BEGIN PUBLIC KEY-----\\n...\\n-----END PUBLIC KEY-----"',
    publicKeySchema.optional(),
    // Somebody may have put a private key here.
    { secret: true },
  ),
  JWKS_URL: variable(
    'Where the public keys of tokens are published (JSON Web Key Set).',
    'https://login.example.com/.well-known/jwks.json',
    wholeUrlSchema.optional(),
  ),
  JWT_ISSUER: variable('Issuer that tokens must name.', 'https://login.example.com/', z.string().min(1).optional()),
  JWT_AUDIENCE: variable('Audience that tokens must name.', 'image-intake', z.string().min(1).optional()),
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the environment, of which one and only one of the three keys for tokens must be set.
 * @throws ConfigError that lists every problem; outside local mode its key, which everybody knows, is one.
 */
export const readApiConfig = <V extends Variables>(
  variables: V,
  environment: Environment,
  options: { localMode: boolean },
): Config<V> => {
  const keyProblem = findKeyProblem(environment, options)
  try {
    const config = readConfig(variables, environment)
    if (keyProblem === undefined) return config
  } catch (error) {
    if (!(error instanceof ConfigError) || keyProblem === undefined) throw error
    throw new ConfigError(`${error.message}\n${keyProblem}`)
  }
  throw new ConfigError(keyProblem)
}

const findKeyProblem = (environment: Environment, { localMode }: { localMode: boolean }) => {
  const { JWT_SECRET, JWT_PUBLIC_KEY, JWKS_URL } = environment
  if ([JWT_SECRET, JWT_PUBLIC_KEY, JWKS_URL].filter(Boolean).length !== 1) {
    return 'exactly one of JWT_SECRET, JWT_PUBLIC_KEY and JWKS_URL must be set. For example: JWKS_URL=https://login.example.com/.well-known/jwks.json'
  }
  if (JWT_SECRET !== localJwtSecret || localMode) return undefined
  return 'JWT_SECRET is the key of local mode, which everybody knows: set one of your own'
}
