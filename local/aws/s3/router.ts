import { AwsError, notImplemented } from '../errors.ts'
import { type AwsRequest, queryValue, readBody } from '../http.ts'
import { type SigningRules, verifySignature } from '../sigv4.ts'
import { type S3Answer, type S3Call, xmlAnswer } from './answer.ts'
import { openBodyCheck } from './checksums.ts'
import { corsHeaders, preflight } from './cors.ts'
import { newRequestId } from './events.ts'
import { findOperation, type Operation } from './operations.ts'
import type { Buckets } from './buckets.ts'
import { checkVersionId } from './version-ids.ts'
import { element, xmlDocument } from './xml.ts'

const maxXmlBytes = 2 * 1_048_576

/** Answers one S3 request, path style; rejects only when the caller broke off or the machine failed. */
export const answerS3 = async (
  request: AwsRequest,
  {
    operations,
    buckets,
    rules,
  }: { operations: readonly Operation[]; buckets: Buckets; rules: Omit<SigningRules, 'service'> },
): Promise<S3Answer> => {
  const requestId = newRequestId()
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?([^]*)$/.exec(request.path) ?? []
  const cors = bucket === '' ? undefined : buckets.find(bucket)?.cors
  const common = { 'x-amz-request-id': requestId, 'x-amz-id-2': requestId }
  try {
    if (request.method === 'OPTIONS') return { status: 200, headers: { ...common, ...preflight(cors, request) } }
    checkFraming(request)
    const payloadHash = verify(request, { ...rules, service: 's3' })
    const answer = await run(operations, { request, requestId, bucket, key, payloadHash })
    return { ...answer, headers: { ...answer.headers, ...corsHeaders(cors ?? [], request), ...common } }
  } catch (error) {
    if (!(error instanceof AwsError)) throw error
    const refused = describeError(error, request, requestId)
    return { ...refused, headers: { ...refused.headers, ...corsHeaders(cors ?? [], request), ...common } }
  }
}

const run = (
  operations: readonly Operation[],
  call: Pick<S3Call, 'request' | 'requestId' | 'bucket' | 'key' | 'payloadHash'>,
): S3Answer | Promise<S3Answer> => {
  const { request, payloadHash, bucket, key } = call
  const level = bucket === '' ? 'service' : key === '' ? 'bucket' : 'object'
  const operation = findOperation(operations, request, level)
  const param = (name: string) => queryValue(request, name)
  const version = param('versionId')
  checkVersionId(version)
  const readText = async () => {
    const check = openBodyCheck(request, payloadHash)
    const body = await readBody(request.body, maxXmlBytes)
    check.update(body)
    check.finish()
    return body.toString('utf8')
  }
  return operation.run({ ...call, version, param, readText })
}

const checkFraming = ({ method, headers }: AwsRequest): void => {
  const payload = headers.get('x-amz-content-sha256')
  if (payload?.startsWith('STREAMING-'))
    throw notImplemented(`the payload signature ${payload}; send the body whole, with its length`)
  if (method === 'PUT' && !headers.has('content-length'))
    throw new AwsError('MissingContentLength', 411, 'You must provide the Content-Length HTTP header.')
}

/** Gives the payload hash that the verified signature covers. */
const verify = (request: AwsRequest, rules: SigningRules): string => {
  let payloadHash = ''
  verifySignature(
    request,
    (form) => (payloadHash = form === 'header' ? readPayloadHash(request.headers) : queryPayloadHash(request.headers)),
    rules,
  )
  return payloadHash
}

const readPayloadHash = (headers: AwsRequest['headers']): string => {
  const value = headers.get('x-amz-content-sha256')
  if (value === undefined)
    throw new AwsError('InvalidRequest', 400, 'Missing required header for this request: x-amz-content-sha256')
  if (value !== 'UNSIGNED-PAYLOAD' && !/^[0-9a-f]{64}$/.test(value))
    throw new AwsError(
      'InvalidArgument',
      400,
      'x-amz-content-sha256 must be UNSIGNED-PAYLOAD or a valid sha256 value.',
      { ArgumentName: 'x-amz-content-sha256', ArgumentValue: value },
    )
  return value
}

const queryPayloadHash = (headers: AwsRequest['headers']): string => {
  const value = headers.get('x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD'
  if (value !== 'UNSIGNED-PAYLOAD') throw notImplemented('a signed payload hash in a presigned URL')
  return value
}

const describeError = (error: AwsError, request: AwsRequest, requestId: string): S3Answer => {
  const { code, status, message, fields, headers } = error
  if (request.method === 'HEAD') return { status, headers }
  const all = {
    Code: code,
    Message: message,
    ...fields,
    Resource: request.path,
    RequestId: requestId,
    HostId: requestId,
  }
  const elements = Object.entries(all).map(([name, value]) => element(name, value))
  const answer = xmlAnswer(xmlDocument('Error', elements, ''), status)
  return { ...answer, headers: { ...answer.headers, ...headers } }
}
