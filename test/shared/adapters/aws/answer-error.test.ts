import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { AnswerError } from '#shared/adapters/aws/answer-error.ts'
import { awsFailure, statusOf } from '#shared/adapters/aws/failures.ts'
import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'

const failed = (status: number, body = '', headers: Record<string, string> = {}) =>
  new AnswerError({ status, headers, body: Buffer.from(body), isWhole: true })

const xml = (content: string) => `<?xml version="1.0" encoding="UTF-8"?>\n${content}`

const table: [what: string, error: AnswerError, name: string, message: string][] = [
  [
    'an error of S3',
    failed(404, xml('<Error><Code>NoSuchKey</Code><Message>It &amp; &quot;all&quot; &#x1F642;&#33;</Message></Error>')),
    'NoSuchKey',
    'It & "all" 🙂!',
  ],
  [
    'an error with a namespace, space and attributes',
    failed(403, xml('<s:Error xmlns:s="urn:x">\n <s:Code x="1"> AccessDenied\n</s:Code><s:Message/></s:Error>')),
    'AccessDenied',
    '',
  ],
  [
    "an error of SQS's older protocol",
    failed(
      400,
      '<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>m</Message></Error></ErrorResponse>',
    ),
    'Throttling',
    'm',
  ],
  [
    'an error of SQS',
    failed(400, '{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no queue"}'),
    'QueueDoesNotExist',
    'no queue',
  ],
  ['an error with a web address', failed(400, '{"code":"X:http://internal/y","Message":"m"}'), 'X', 'm'],
  [
    'an error that only a header names',
    failed(400, '', { 'x-amzn-errortype': 'OverLimit:http://x/' }),
    'OverLimit',
    '',
  ],
  [
    'an error in the words of the query protocol',
    failed(400, '{}', { 'x-amzn-query-error': 'AWS.SimpleQueueService.NonExistentQueue;Sender' }),
    'AWS.SimpleQueueService.NonExistentQueue',
    '',
  ],
  ['a page of some proxy', failed(502, '<html><title>Bad Gateway</title>'), 'Unknown', ''],
  ['no words at all', failed(500), 'Unknown', ''],
  ['JSON that is no object', failed(500, 'null'), 'Unknown', ''],
  ['JSON of other types', failed(500, '{"__type":7,"message":{}}'), 'Unknown', ''],
  ['half of an error', failed(503, '<Error><Code>Slow'), 'Unknown', ''],
  ['an impossible character', failed(400, '<Error><Code>a&#x110000;&nope;</Code></Error>'), 'a&#x110000;&nope;', ''],
]

suite('an answer that is no success', () => {
  for (const [what, error, name, message] of table) {
    test(`${what} is read`, () => {
      assert.deepEqual([error.name, error.message], [name, message])
    })
  }

  test('tells its status, and when the service gave it', () => {
    const error = failed(403, '', { date: 'Wed, 01 Jan 2025 00:00:00 GMT' })
    assert.equal(statusOf(error), 403)
    assert.deepEqual(error.answeredAt, new Date('2025-01-01'))
    assert.equal(failed(403, '', { date: 'yesterday' }).answeredAt, undefined)
    assert.equal(failed(403).answeredAt, undefined)
  })

  test('is no longer than what a log can bear', () => {
    assert.ok(failed(400, JSON.stringify({ code: 'x'.repeat(5000), message: 'y'.repeat(9000) })).message.length <= 1000)
  })

  test('is sorted as the same answer to the SDK is', () => {
    const sort = (error: AnswerError, service: 'S3' | 'SQS') => awsFailure(service, 'asking', error)
    assert.ok(sort(failed(301), 'S3') instanceof SetupError)
    assert.ok(sort(failed(301, '<Error><Code>PermanentRedirect</Code></Error>'), 'S3') instanceof SetupError)
    assert.ok(sort(failed(307, '<Error><Code>TemporaryRedirect</Code></Error>'), 'S3') instanceof OutageError)
    assert.ok(sort(failed(403), 'S3') instanceof RefusalError)
    assert.ok(sort(failed(403), 'SQS') instanceof SetupError)
    assert.ok(sort(failed(502, '<html>'), 'SQS') instanceof OutageError)
    assert.equal(sort(failed(403), 'S3').message, 'S3: asking: HTTP 403')
  })
})
