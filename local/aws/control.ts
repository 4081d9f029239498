import { z } from 'zod'

import { AwsError } from './errors.ts'
import { type AwsRequest, readBody } from './http.ts'
import { describeFaults, type NotificationFaults, parseFaults } from './s3/notification-faults.ts'

/** What AWS has no call for, on paths that no bucket can have: its name may not begin with an underscore. */
export const controlMount = '/_local/'

export type ControlAnswer = { status: number; headers: Record<string, string>; body: string }
export type ControlStores = {
  faults: NotificationFaults
  runLifecycle: (atMs: number) => Promise<number>
  now: () => number
}

type Work = (input: unknown) => object | Promise<object>
type Methods = Readonly<Record<string, Work>>
type Refusal = { status: number; error: string; headers?: Record<string, string> }

const maxBodyBytes = 65_536

/**
 * Answers `POST /_local/expire` and `GET` or `POST /_local/notifications`, in JSON. Nothing is signed, so it answers
 * processes of this machine alone, and no page that a browser shows: those always say their origin when they post.
 */
export const answerControl = async (request: AwsRequest, stores: ControlStores): Promise<ControlAnswer> => {
  const methods = openRoutes(stores).get(request.path.slice(controlMount.length))
  const refusal = refuseCaller(request) ?? refuseMethod(request, methods)
  if (refusal) return answer(refusal.status, { error: refusal.error }, refusal.headers)
  try {
    const input = request.method === 'GET' ? undefined : await readJson(request)
    return answer(200, (await methods?.[request.method]?.(input)) ?? {})
  } catch (error) {
    return describeFailure(error)
  }
}

const expireInput = z.strictObject({
  at: z
    .union([z.iso.date(), z.iso.datetime({ offset: true })], 'must be a date or a date and time in ISO 8601')
    .optional(),
})

const openRoutes = ({ faults, runLifecycle, now }: ControlStores) =>
  new Map<string, Methods>([
    [
      'expire',
      {
        POST: async (input) => {
          const { at } = expireInput.parse(input)
          return { expired: await runLifecycle(at === undefined ? now() : Date.parse(at)) }
        },
      },
    ],
    [
      'notifications',
      {
        GET: () => describeFaults(faults.settings()),
        POST: (input) => {
          faults.change(parseFaults(input))
          return describeFaults(faults.settings())
        },
      },
    ],
  ])

const refuseCaller = ({ method, headers, sourceIp }: AwsRequest): Refusal | undefined => {
  if (!/^(::1|(::ffff:)?127\.[\d.]+)$/.test(sourceIp))
    return { status: 403, error: 'only this machine may ask for that' }
  if (headers.has('origin')) return { status: 403, error: 'no web page may ask for that' }
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (method === 'POST' && type !== 'application/json')
    return { status: 415, error: 'the body must be JSON, and content-type must say application/json' }
  return undefined
}

const refuseMethod = ({ method }: AwsRequest, methods: Methods | undefined): Refusal | undefined => {
  if (!methods) return { status: 404, error: 'there are expire and notifications here' }
  if (Object.hasOwn(methods, method)) return undefined
  const allow = Object.keys(methods).join(', ')
  return { status: 405, error: `${method} is not among ${allow}`, headers: { allow } }
}

/** An empty body says nothing, as `{}` does. */
const readJson = async ({ body }: AwsRequest): Promise<unknown> => {
  const text = (await readBody(body, maxBodyBytes)).toString('utf8')
  try {
    return JSON.parse(text || '{}')
  } catch {
    throw new AwsError('InvalidRequest', 400, 'the body is not JSON')
  }
}

const describeFailure = (error: unknown): ControlAnswer => {
  if (error instanceof z.ZodError) return answer(400, { error: error.issues.map(describeIssue).join('; ') })
  if (error instanceof AwsError) return answer(error.status, { error: error.message })
  throw error
}

const describeIssue = ({ path, message }: z.core.$ZodIssue): string =>
  [path.join('.'), message].filter(Boolean).join(': ')

const answer = (status: number, body: object, headers: Record<string, string> = {}): ControlAnswer => ({
  status,
  headers: { ...headers, 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: `${JSON.stringify(body)}\n`,
})
