import assert from 'node:assert/strict'
import { test } from 'node:test'

import { openAppender } from '#shared/adapters/kafka/produce.ts'
import { RefusalError } from '#shared/ports/failures.ts'

test("a header counts for a record's size, also when it has the name of the record's key", async () => {
  const { append } = openAppender(() => {
    throw new Error('it must not be sent')
  })
  for (const name of ['key', 'other'])
    await assert.rejects(
      append([{ topic: 't', key: 'key', value: 'v', headers: { [name]: 'x'.repeat(1_100_000) } }]),
      RefusalError,
    )
})
