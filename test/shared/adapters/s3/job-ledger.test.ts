import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'

import { s3JobLedger } from '#shared/adapters/s3/job-ledger.ts'
import { OutageError, SetupError } from '#shared/ports/failures.ts'
import { openScriptedS3, s3Error } from './scripted-s3.ts'

type Answer = Parameters<typeof openScriptedS3>[1]

const open = async (context: TestContext, answer: Answer) => {
  const { client, ...s3 } = await openScriptedS3(context, answer)
  return { ledger: s3JobLedger({ client, bucket: 'states' }), ...s3 }
}
const ref = { jobId: '0123456789abcdef0123456789abcdef', date: '20250101' }
const note = {
  key: 'scans/20250101/u/0',
  eventId: 'f'.repeat(32),
  by: 'image.uploaded 0:1',
  at: new Date('2025-01-01T12:00:00Z'),
}
const entry = '/states/jobs/20250101/0123456789abcdef0123456789abcdef'

suite('the S3 job ledger', () => {
  test('an entry costs one conditional PUT, under the day and the id', async (context) => {
    const conditions: unknown[] = []
    const { ledger, requests, bodies } = await open(context, ({ headers }) => {
      conditions.push(headers['if-none-match'])
      return { status: 200 }
    })
    assert.equal(await ledger.enter(ref, note), 'entered')
    await ledger.cancel(ref, note)
    assert.deepEqual(requests, [`PUT ${entry}`, `PUT ${entry}.cancelled`])
    assert.deepEqual(conditions, ['*', '*'])
    assert.deepEqual(JSON.parse(bodies[0] ?? ''), {
      job_id: ref.jobId,
      key: note.key,
      event_id: note.eventId,
      by: note.by,
      at: '2025-01-01T12:00:00.000Z',
    })
  })

  test('a look costs two GETs of a byte', async (context) => {
    const { ledger, requests } = await open(context, ({ headers }) => {
      assert.equal(headers.range, 'bytes=0-0')
      return s3Error(404, 'NoSuchKey')
    })
    assert.deepEqual(await ledger.find(ref), { isDispatched: false, isCancelled: false })
    assert.deepEqual(requests.toSorted(), [`GET ${entry}`, `GET ${entry}.cancelled`])
  })

  test('412 says that the job is known', async (context) => {
    const { ledger } = await open(context, () => s3Error(412, 'PreconditionFailed'))
    assert.equal(await ledger.enter(ref, note), 'known')
    await ledger.cancel(ref, note)
  })

  test('409 is asked again, until it is told how that ended', async (context) => {
    const { ledger, requests } = await open(context, (_, count) =>
      count < 4 ? s3Error(409, 'ConditionalRequestConflict') : s3Error(412, 'PreconditionFailed'),
    )
    assert.equal(await ledger.enter(ref, note), 'known')
    assert.deepEqual(requests, [...Array.from({ length: 4 }, () => `PUT ${entry}`), `GET ${entry}`])
  })

  test('409 without an end is an outage', async (context) => {
    const { ledger, requests } = await open(context, () => s3Error(409, 'ConditionalRequestConflict'))
    await assert.rejects(ledger.enter(ref, note), OutageError)
    assert.equal(requests.length, 5)
  })

  test('throttling is an outage', async (context) => {
    const { ledger } = await open(context, () => s3Error(503, 'SlowDown'))
    await assert.rejects(ledger.find(ref), OutageError)
    await assert.rejects(ledger.enter(ref, note), OutageError)
  })

  test('a 403 is a fault of the set-up, never an absence, and names what is needed', async (context) => {
    const { ledger } = await open(context, () => s3Error(403, 'AccessDenied'))
    for (const call of [ledger.find(ref), ledger.enter(ref, note), ledger.cancel(ref, note)])
      await assert.rejects(call, (error: unknown) => error instanceof SetupError && /s3:ListBucket/.test(error.message))
  })
})
