import { AwsError } from '../errors.ts'
import type { AwsRequest } from '../http.ts'
import { childrenOf, element, malformed, textOf, type Xml, type XmlElement } from './xml.ts'

export type CorsRule = {
  id?: string
  origins: readonly string[]
  methods: readonly string[]
  headers: readonly string[]
  exposed: readonly string[]
  maxAgeSeconds?: number
}

const methods = ['GET', 'PUT', 'HEAD', 'POST', 'DELETE']

/** @throws AwsError for a CORSConfiguration that S3 would refuse */
export const parseCors = (root: XmlElement): CorsRule[] => {
  const rules = childrenOf(root, 'CORSRule').map(parseRule)
  if (rules.length === 0 || rules.length > 100) throw malformed()
  return rules
}

export const renderCors = (rules: readonly CorsRule[]): Xml[] =>
  rules.map((rule) =>
    element('CORSRule', [
      ...(rule.id === undefined ? [] : [element('ID', rule.id)]),
      ...rule.methods.map((method) => element('AllowedMethod', method)),
      ...rule.origins.map((origin) => element('AllowedOrigin', origin)),
      ...rule.headers.map((header) => element('AllowedHeader', header)),
      ...rule.exposed.map((header) => element('ExposeHeader', header)),
      ...(rule.maxAgeSeconds === undefined ? [] : [element('MaxAgeSeconds', rule.maxAgeSeconds)]),
    ]),
  )

/** The headers that let the asking page read an actual answer; none when no rule allows it. */
export const corsHeaders = (rules: readonly CorsRule[], { headers, method }: AwsRequest): Record<string, string> => {
  const origin = headers.get('origin')
  const rule = origin === undefined ? undefined : findRule(rules, origin, method, [])
  return origin !== undefined && rule ? allow(rule, origin) : {}
}

/** Answers an OPTIONS request. @throws AwsError AccessForbidden when no rule allows what is asked */
export const preflight = (rules: readonly CorsRule[] | undefined, { headers }: AwsRequest): Record<string, string> => {
  const origin = headers.get('origin')
  const method = headers.get('access-control-request-method')
  if (origin === undefined)
    throw new AwsError('BadRequest', 400, 'Insufficient information. Origin request header needed.')
  if (method === undefined || !methods.includes(method))
    throw new AwsError(
      'BadRequest',
      400,
      'Invalid Access-Control-Request-Method: it must be GET, PUT, HEAD, POST or DELETE.',
    )
  if (!rules) throw new AwsError('AccessForbidden', 403, 'CORSResponse: CORS is not enabled for this bucket.')
  const asked = (headers.get('access-control-request-headers') ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
  const rule = findRule(rules, origin, method, asked)
  if (!rule)
    throw new AwsError(
      'AccessForbidden',
      403,
      "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
    )
  return { ...allow(rule, origin), ...(asked.length > 0 && { 'access-control-allow-headers': asked.join(', ') }) }
}

const parseRule = (rule: XmlElement): CorsRule => {
  const texts = (name: string) => childrenOf(rule, name).map(({ text }) => text)
  const [id, maxAge] = [textOf(rule, 'ID'), textOf(rule, 'MaxAgeSeconds')]
  const parsed = {
    origins: texts('AllowedOrigin'),
    methods: texts('AllowedMethod'),
    headers: texts('AllowedHeader'),
    exposed: texts('ExposeHeader'),
  }
  if (parsed.origins.length === 0 || parsed.methods.length === 0 || (maxAge !== undefined && !/^\d{1,9}$/.test(maxAge)))
    throw malformed()
  const refused = parsed.methods.find((method) => !methods.includes(method))
  if (refused !== undefined)
    throw new AwsError(
      'InvalidRequest',
      400,
      `Found unsupported HTTP method in CORS config. Unsupported method is ${refused}`,
    )
  if ([...parsed.origins, ...parsed.headers].some((pattern) => pattern.split('*').length > 2))
    throw new AwsError('InvalidRequest', 400, 'AllowedOrigin and AllowedHeader can not have more than one wildcard.')
  return { ...parsed, ...(id !== undefined && { id }), ...(maxAge !== undefined && { maxAgeSeconds: Number(maxAge) }) }
}

const findRule = (rules: readonly CorsRule[], origin: string, method: string, headers: readonly string[]) =>
  rules.find(
    (rule) =>
      rule.methods.includes(method) &&
      rule.origins.some((pattern) => fits(pattern, origin)) &&
      headers.every((header) => rule.headers.some((pattern) => fits(pattern.toLowerCase(), header))),
  )

const fits = (pattern: string, text: string): boolean => {
  const [before = '', after] = pattern.split('*')
  if (after === undefined) return pattern === text
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after)
}

const allow = (rule: CorsRule, origin: string): Record<string, string> => {
  const isForAll = rule.origins.find((pattern) => fits(pattern, origin)) === '*'
  return {
    'access-control-allow-origin': isForAll ? '*' : origin,
    'access-control-allow-methods': rule.methods.join(', '),
    ...(rule.exposed.length > 0 && { 'access-control-expose-headers': rule.exposed.join(', ') }),
    ...(rule.maxAgeSeconds !== undefined && { 'access-control-max-age': String(rule.maxAgeSeconds) }),
    ...(!isForAll && { 'access-control-allow-credentials': 'true' }),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  }
}
