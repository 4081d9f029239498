import { CredentialsError, OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'

/** What every caller of an AWS protocol may see of a failure; other fields are the SDK's own. */
type AwsFailure = {
  name: string
  message: string
  /** A number in Node's own AbortError. */ code?: unknown
  $metadata?: { httpStatusCode?: number }
}

const throttled = new Set([
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'RequestThrottled',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'KmsThrottled',
  'OverLimit',
])

/** No credentials, or such that were right a moment ago: others are on their way, waiting mends it. */
const unsigned = new Set(['CredentialsProviderError', 'ExpiredToken', 'ExpiredTokenException'])

/** Clocks that drift. */
const stale = new Set(['RequestTimeTooSkewed', 'RequestTimeout'])

const misconfigured = new Set([
  'NoSuchBucket',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'QueueDoesNotExist',
  'AWS.SimpleQueueService.NonExistentQueue',
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'InvalidAddress',
])

/** Of SQS a 403 is about the queue or the credentials, and Kms... about its key; of S3 both may be about one object. */
const isMisconfigured = (service: 'S3' | 'SQS', name: string, status: number) =>
  misconfigured.has(name) || (service === 'SQS' && (status === 403 || name.startsWith('Kms')))

/**
 * Sorts a failed call to S3 or SQS by who can mend it. No HTTP answer at all, one that can't be read, 5xx, throttling and
 * stale credentials are outages; wrong names and keys are the set-up's; any other 4xx is about the one thing that was asked.
 */
export const awsFailure = (service: 'S3' | 'SQS', about: string, error: unknown): Error => {
  if (!(error instanceof Error)) return new OutageError(service, `${about}: ${String(error)}`)
  if (error instanceof OutageError || error instanceof RefusalError || error instanceof SetupError) return error
  // The SDK's exceptions share no class across clients; every field that is read here may be absent.
  const { name, message, code, $metadata } = error as AwsFailure
  const status = $metadata?.httpStatusCode
  // Answers without a body, as HEAD's, leave the SDK nothing but these words.
  const http = status === undefined ? undefined : `HTTP ${status}`
  const said = [http, name, code, message].filter((part) => typeof part === 'string' && !/^(Unknown|$)/.test(part))
  const detail = `${about}: ${said.join(' ')}`
  const cause = { cause: error }
  if (unsigned.has(name)) return new CredentialsError(service, detail, cause)
  const passes = throttled.has(name) || stale.has(name)
  if (status === undefined || status === 429 || passes) return new OutageError(service, detail, cause)
  if (isMisconfigured(service, name, status)) return new SetupError(`${service}: ${detail}`, cause)
  if (status < 400 || status >= 500) return new OutageError(service, detail, cause)
  return new RefusalError(`${service}: ${detail}`, cause)
}

/** The HTTP status of a failed call, if there was an answer. */
export const statusOf = (error: unknown): number | undefined =>
  // As above: read defensively from whatever was thrown.
  error instanceof Error ? (error as Partial<AwsFailure>).$metadata?.httpStatusCode : undefined
