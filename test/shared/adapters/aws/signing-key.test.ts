import assert from 'node:assert/strict'
import { test } from 'node:test'

import { signingKey } from '#shared/adapters/aws/signing-key.ts'

const secret = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'

test("the signing key of AWS's own example is theirs", () => {
  // Source: AWS General Reference, "Examples of how to derive a signing key for Signature Version 4".
  const key = signingKey(secret, '20150830', 'us-east-1', 'iam').toString('hex')
  assert.equal(key, 'c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9')
})

test('a key is derived once while it is in use', () => {
  assert.equal(signingKey(secret, '20250101', 'r', 's3'), signingKey(secret, '20250101', 'r', 's3'))
})

test('every part makes another key', () => {
  const parts: [string, string, string, string][] = [
    [secret, '20250101', 'r', 's3'],
    ['other', '20250101', 'r', 's3'],
    [secret, '20250102', 'r', 's3'],
    [secret, '20250101', 'q', 's3'],
    [secret, '20250101', 'r', 'sqs'],
  ]
  assert.equal(new Set(parts.map((part) => signingKey(...part).toString('hex'))).size, parts.length)
})

test('keys of long ago are forgotten, and made again alike', () => {
  const first = signingKey(secret, '20240101', 'r', 's3')
  for (let index = 0; index < 100; index++) signingKey(`secret ${index}`, '20240101', 'r', 's3')
  const again = signingKey(secret, '20240101', 'r', 's3')
  assert.notEqual(again, first)
  assert.deepEqual(again, first)
})
