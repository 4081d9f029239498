import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { awsFailure, statusOf } from '#shared/adapters/aws/failures.ts'
import { CredentialsError, OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'

/** An error as the SDK throws it. */
const failed = (name: string, httpStatusCode?: number) =>
  Object.assign(new Error('said the service'), { name, $metadata: { httpStatusCode, attempts: 2 } })

const table: [
  service: 'S3' | 'SQS',
  error: unknown,
  kind: typeof OutageError | typeof RefusalError | typeof SetupError,
][] = [
  ['S3', Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }), OutageError],
  ['S3', new DOMException('aborted', 'AbortError'), OutageError],
  ['S3', failed('TimeoutError'), OutageError],
  ['S3', failed('CredentialsProviderError'), CredentialsError],
  ['S3', 'a string', OutageError],
  ['S3', undefined, OutageError],
  ['S3', failed('InternalError', 500), OutageError],
  ['S3', failed('SlowDown', 503), OutageError],
  ['S3', failed('SlowDown', 400), OutageError],
  ['S3', failed('Unknown', 429), OutageError],
  ['S3', failed('SyntaxError', 200), OutageError],
  ['S3', failed('ExpiredToken', 400), CredentialsError],
  ['S3', failed('RequestTimeTooSkewed', 403), OutageError],
  ['S3', failed('RequestTimeout', 400), OutageError],
  ['SQS', failed('ThrottlingException', 400), OutageError],
  ['SQS', failed('RequestThrottled', 403), OutageError],
  ['SQS', failed('ExpiredTokenException', 403), CredentialsError],
  ['SQS', failed('OverLimit', 403), OutageError],
  ['S3', failed('NoSuchBucket', 404), SetupError],
  ['S3', failed('InvalidAccessKeyId', 403), SetupError],
  ['S3', failed('SignatureDoesNotMatch', 403), SetupError],
  ['S3', failed('PermanentRedirect', 301), SetupError],
  ['S3', failed('AuthorizationHeaderMalformed', 400), SetupError],
  ['SQS', failed('QueueDoesNotExist', 400), SetupError],
  ['SQS', failed('AWS.SimpleQueueService.NonExistentQueue', 400), SetupError],
  ['SQS', failed('InvalidClientTokenId', 403), SetupError],
  ['SQS', failed('InvalidSignatureException', 403), SetupError],
  ['SQS', failed('AccessDeniedException', 403), SetupError],
  ['SQS', failed('KmsAccessDenied', 400), SetupError],
  ['SQS', failed('KmsThrottled', 400), OutageError],
  ['SQS', failed('InvalidAddress', 404), SetupError],
  ['S3', failed('AccessDenied', 403), RefusalError],
  ['S3', failed('NoSuchKey', 404), RefusalError],
  ['S3', failed('InvalidObjectState', 403), RefusalError],
  ['S3', failed('EntityTooLarge', 400), RefusalError],
  ['SQS', failed('InvalidMessageContents', 400), RefusalError],
  ['SQS', failed('ReceiptHandleIsInvalid', 400), RefusalError],
]

suite('failures of AWS calls', () => {
  for (const [service, error, kind] of table) {
    const name = error instanceof Error ? `${error.name} ${statusOf(error) ?? ''}`.trim() : String(error)
    test(`${name} of ${service} is ${kind.name}`, () => {
      const failure = awsFailure(service, 'reading a key', error)
      assert.ok(failure instanceof kind, `${failure.name}: ${failure.message}`)
      assert.match(failure.message, new RegExp(`^${service}.*reading a key`))
      if (failure instanceof OutageError) assert.equal(failure.service, service)
    })
  }

  test('tells what the SDK said, and keeps it as the cause', () => {
    const error = failed('AccessDenied', 403)
    const failure = awsFailure('S3', 'reading a key', error)
    assert.equal(failure.message, 'S3: reading a key: HTTP 403 AccessDenied said the service')
    assert.equal(failure.cause, error)
  })

  test('an error without an answer has no status', () => {
    for (const error of [new Error('x'), 'x', null, undefined]) assert.equal(statusOf(error), undefined)
  })
})
