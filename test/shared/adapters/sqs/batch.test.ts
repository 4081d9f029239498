import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { settleBatch } from '#shared/adapters/sqs/batch.ts'
import { OutageError, RefusalError } from '#shared/ports/failures.ts'

const kinds = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.map((result) => (result.status === 'fulfilled' ? 'ok' : (result.reason as Error).constructor))

suite('the answer to a batch', () => {
  test('settles each entry by itself, whatever the order of the answer', () => {
    const results = settleBatch(4, {
      Successful: [{ Id: '3' }, { Id: '0' }],
      Failed: [
        { Id: '2', SenderFault: true, Code: 'ReceiptHandleIsInvalid', Message: 'not a handle' },
        { Id: '1', SenderFault: false, Code: 'InternalError' },
      ],
    })
    assert.deepEqual(kinds(results), ['ok', OutageError, RefusalError, 'ok'])
    assert.match(String(results[2]?.status === 'rejected' && results[2].reason), /ReceiptHandleIsInvalid not a handle/)
  })

  test('an entry that was throttled, or that no key or right was there for, waits, whoever is said to be at fault', () => {
    const throttled = ['RequestThrottled', 'KMS.ThrottlingException', 'OverLimit', 'ThrottlingException']
    const keyless = ['KMS.AccessDeniedException', 'KMS.DisabledException', 'KmsNotFound', 'AccessDenied']
    for (const Code of [...throttled, ...keyless])
      assert.deepEqual(kinds(settleBatch(1, { Failed: [{ Id: '0', SenderFault: true, Code }] })), [OutageError], Code)
  })

  test('an entry that the answer leaves out has failed', () => {
    assert.deepEqual(kinds(settleBatch(2, { Successful: [{ Id: '0' }] })), ['ok', OutageError])
    assert.deepEqual(kinds(settleBatch(1, {})), [OutageError])
    assert.deepEqual(kinds(settleBatch(1, { Successful: [{ Id: undefined }, { Id: '7' }] })), [OutageError])
  })

  test('an entry that stands in both lists has failed', () => {
    const both = { Successful: [{ Id: '0' }], Failed: [{ Id: '0', SenderFault: true, Code: 'x' }] }
    assert.deepEqual(kinds(settleBatch(1, both)), [RefusalError])
  })
})
