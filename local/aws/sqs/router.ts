import { createHash, randomUUID } from 'node:crypto'

import { AwsError } from '../errors.ts'
import { type AwsRequest, readBody } from '../http.ts'
import { type SigningRules, verifySignature } from '../sigv4.ts'
import type { Call } from './calls.ts'
import { errorType, invalidParameter, queryCode, sqsError } from './errors.ts'

export type SqsAnswer = { status: number; headers: Record<string, string>; body: string }

const targetPrefix = 'AmazonSQS.'
// A message of 1 MiB may grow sixfold when its JSON escapes every character.
const maxBodyBytes = 8 * 1_048_576

export const isSqsRequest = ({ method, path, headers }: AwsRequest): boolean =>
  method === 'POST' && path === '/' && (headers.get('x-amz-target') ?? '').startsWith(targetPrefix)

/** Answers one call of the JSON protocol; never rejects for what the caller did. */
export const answerSqs = async (
  request: AwsRequest,
  calls: ReadonlyMap<string, Call>,
  rules: Omit<SigningRules, 'service'>,
  gone: AbortSignal,
): Promise<SqsAnswer> => {
  try {
    const body = await readBody(request.body, maxBodyBytes)
    verify(request, body, { ...rules, service: 'sqs' })
    const name = (request.headers.get('x-amz-target') ?? '').slice(targetPrefix.length)
    const call = calls.get(name)
    if (!call)
      throw sqsError(
        'UnknownOperationException',
        `The action ${name} is not valid for this endpoint, or not implemented by this local service.`,
      )
    const baseUrl = `http://${request.headers.get('host') ?? ''}`
    return answer(200, await call(parseJson(body), { baseUrl, gone }))
  } catch (error) {
    if (error instanceof AwsError) return refuse(error)
    throw error
  }
}

const verify = (request: AwsRequest, body: Buffer, rules: SigningRules): void => {
  const bodyHash = createHash('sha256').update(body).digest('hex')
  try {
    verifySignature(
      request,
      (form) => {
        if (form === 'query')
          throw invalidParameter('This local service takes signatures in the Authorization header only.')
        return bodyHash
      },
      rules,
    )
  } catch (error) {
    throw error instanceof AwsError
      ? new AwsError(signatureCodes[error.code] ?? error.code, error.status, error.message)
      : error
  }
}

// The verifier speaks S3's codes; these are the names of the same refusals in the JSON protocol.
const signatureCodes: Readonly<Record<string, string>> = {
  AccessDenied: 'AccessDeniedException',
  AuthorizationHeaderMalformed: 'IncompleteSignatureException',
  InvalidAccessKeyId: 'UnrecognizedClientException',
  InvalidRequest: 'IncompleteSignatureException',
  InvalidToken: 'UnrecognizedClientException',
  RequestTimeTooSkewed: 'InvalidSignatureException',
  SignatureDoesNotMatch: 'InvalidSignatureException',
}

const parseJson = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw sqsError('SerializationException', 'The request body must be a JSON object.')
  }
}

const refuse = (error: AwsError): SqsAnswer => {
  const { status, body, headers } = answer(error.status, { __type: errorType(error.code), message: error.message })
  return { status, body, headers: { ...headers, 'x-amzn-query-error': `${queryCode(error.code)};Sender` } }
}

const answer = (status: number, body: object): SqsAnswer => ({
  status,
  headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': randomUUID() },
  body: JSON.stringify(body),
})
