import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'

import { S3Client } from '@aws-sdk/client-s3'

import { cloudFront } from '../../../infra/invalidator/cloudfront.ts'
import { SetupError } from '#shared/ports/failures.ts'
import { http, openRawServer } from '../../shared/adapters/aws/raw-server.ts'

const open = async (context: TestContext, answer: string) => {
  const { origin, requests } = await openRawServer(context, (_, socket) => socket.write(answer))
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'session' }
  const client = new S3Client({ region: 'eu-central-1', maxAttempts: 1, credentials })
  context.after(() => client.destroy())
  return { send: cloudFront({ client, distributionId: 'E1EXAMPLE', endpoint: origin }), requests }
}

const created = http(201, { 'content-length': 2 }, '<>')
const refusal = (status: number, code: string) => {
  const body = `<ErrorResponse><Error><Code>${code}</Code><Message>so it is</Message></Error></ErrorResponse>`
  return http(status, { 'content-length': body.length }, body)
}

test('an invalidation is one POST to its distribution, signed for CloudFront in us-east-1', async (context) => {
  const { send, requests } = await open(context, created)
  await send(['/scans/1', '/chat/*'], 'reference-1')
  assert.equal(requests.length, 1)
  const [head = '', body = ''] = (requests[0] ?? '').split('\r\n\r\n')
  assert.match(head, /^POST \/2020-05-31\/distribution\/E1EXAMPLE\/invalidation HTTP\/1\.1\r\n/)
  assert.match(
    head,
    /authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\/cloudfront\/aws4_request/i,
  )
  assert.match(head, /x-amz-security-token: session/i)
  assert.equal(
    body,
    '<?xml version="1.0" encoding="UTF-8"?><InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">' +
      '<CallerReference>reference-1</CallerReference><Paths><Items><Path>/scans/1</Path><Path>/chat/*</Path></Items>' +
      '<Quantity>2</Quantity></Paths></InvalidationBatch>',
  )
})

const refusals: [string, string, boolean][] = [
  ['an unknown distribution', refusal(404, 'NoSuchDistribution'), true],
  ['a missing right', refusal(403, 'AccessDenied'), true],
  ['a key that nobody knows', refusal(403, 'InvalidClientTokenId'), true],
  ['too many that are under way', refusal(400, 'TooManyInvalidationsInProgress'), false],
  ['credentials that ran out', refusal(403, 'ExpiredToken'), false],
  ['throttling', refusal(400, 'Throttling'), false],
  ['a fault of CloudFront', refusal(503, 'ServiceUnavailable'), false],
]
for (const [what, answer, isFinal] of refusals) {
  test(`${what} ${isFinal ? 'is told to the operator' : 'may pass'}`, async (context) => {
    const { send } = await open(context, answer)
    await assert.rejects(send(['/scans/1'], 'r'), (error) => error instanceof SetupError === isFinal)
  })
}
