import assert from 'node:assert/strict'
import { Writable } from 'node:stream'

import { SignJWT, type JWTPayload } from 'jose'
import { Registry } from 'prom-client'

import { openS3 } from '#shared/adapters/aws/clients.ts'
import { openUploadSigner } from '#shared/adapters/s3/upload-signer.ts'
import { makeKey } from '#shared/domain/keys.ts'
import type { Purpose } from '#shared/domain/purposes.ts'
import { openLog } from '#shared/runtime/log.ts'

import { createApi, type ApiDeps } from '../../services/api/app.ts'
import { openIdentity } from '../../services/api/identity.ts'
import { apiMetrics } from '../../services/api/metrics.ts'
import { problemTable, type ProblemCode } from '../../services/api/problems.ts'
import { problemSchema } from '../../services/api/schemas.ts'
import { fakeObjectStore } from './fakes/object-store.ts'

export const testSecret = 'a-secret-for-tests-of-at-least-32-characters'
export const testPlace = { bucket: 'images-1', cdnBaseUrl: 'https://cdn.example.com' }
export const testNow = new Date('2026-11-23T23:59:59.900Z')

const aws = {
  AWS_REGION: 'eu-central-1',
  AWS_ENDPOINT_URL_S3: 'https://uploads.example.com',
  AWS_ENDPOINT_URL_SQS: undefined,
  S3_FORCE_PATH_STYLE: true,
  AWS_ACCESS_KEY_ID: 'access-key-1',
  AWS_SECRET_ACCESS_KEY: 'secret-key-1',
  AWS_SESSION_TOKEN: undefined,
}
/** The real signer; signing asks no server. */
export const testSigner = await openUploadSigner((credentials) => openS3(aws, undefined, credentials), testPlace.bucket)

/** A stream that keeps what is written. */
export const memoryStream = () => {
  const chunks: string[] = []
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      chunks.push(chunk.toString())
      done()
    },
  })
  return { stream, text: () => chunks.join('') }
}

export type Answer = { response: Response; status: number; headers: Headers; text: string; json: unknown }

/** An answer whose body was read; `json` is undefined when it is none. */
export const readAnswer = async (response: Response): Promise<Answer> => {
  const text = await response.text()
  return { response, status: response.status, headers: response.headers, text, json: parseJson(text) }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The API with its stores in memory; `request` sends as user-1 unless another token (or '') is given. */
export const openTestApi = async (overrides: Partial<ApiDeps> = {}) => {
  const [images, states, logged, registry] = [fakeObjectStore(), fakeObjectStore(), memoryStream(), new Registry()]
  const app = createApi({
    place: testPlace,
    images: images.store,
    states: states.store,
    signer: testSigner,
    identify: openIdentity({ JWT_SECRET: testSecret }),
    log: openLog({ name: 'api', destination: logged.stream }),
    metrics: apiMetrics(registry),
    problem: () => Promise.resolve(undefined),
    corsOrigins: ['https://app.example.com'],
    ticketRules: { seconds: 300, createOnly: true },
    limitUser: () => undefined,
    now: () => testNow,
    ...overrides,
  })
  const ownToken = await signTestToken()
  const request = async (method: string, path: string, options: RequestOptions = {}) => {
    const { token = ownToken, body, headers = {} } = options
    const authorization = token === '' ? {} : { Authorization: `Bearer ${token}` }
    return readAnswer(
      await app.request(path, {
        method,
        headers: { ...authorization, ...headers },
        ...(body === undefined ? {} : { body, duplex: 'half' }),
      }),
    )
  }
  const askTicket = (fields: unknown, path = '', options: RequestOptions = {}) =>
    request('POST', `/images/presigned-url${path}`, { body: JSON.stringify(fields), ...options })
  return { app, images, states, registry, request, askTicket, logText: logged.text }
}

type RequestOptions = { token?: string; body?: string | ReadableStream; headers?: Record<string, string> }

export type TestApi = Awaited<ReturnType<typeof openTestApi>>

/** An undefined claim is left out. */
export type TestClaims = { [Name in keyof JWTPayload]: JWTPayload[Name] | undefined }

/** A token of user-1 that is right in everything, but for the claims given. */
export const signTestToken = (claims: TestClaims = {}, secret = testSecret, alg = 'HS256') =>
  // JSON leaves out what is undefined.
  new SignJWT({ sub: 'user-1', exp: Math.floor(Date.now() / 1000) + 600, ...claims } as JWTPayload)
    .setProtectedHeader({ alg })
    .sign(new TextEncoder().encode(secret))

/** A key that this service would have made. */
export const testKey = (purpose: Purpose = 'scan', userId = 'user-1', id = '0f8fad5bd9cb469fa16570867728950e') => {
  const made = makeKey({ purpose, userId, id, now: testNow })
  if (!made.ok) throw new Error(made.code)
  return made.facts.key
}

/** The document of an answer that must be this problem, whole and in the right form. */
export const assertProblem = ({ status, headers, json, text }: Answer, code: ProblemCode) => {
  const problem = problemSchema.parse(json)
  assert.equal(problem.code, code, text)
  assert.equal(status, problemTable[code].status)
  assert.equal(problem.status, status)
  assert.equal(problem.type, `urn:image-intake:problem:${code}`)
  assert.equal(problem.title, problemTable[code].title)
  assert.ok(problem.detail.length > 10, problem.detail)
  assert.equal(headers.get('content-type'), 'application/problem+json')
  assert.equal(headers.get('x-request-id'), problem.request_id)
  assert.match(problem.request_id, /^[0-9a-f-]{36}$/)
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('cache-control'), 'no-store')
  return problem
}
