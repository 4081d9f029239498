import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { deletedEvent, uploadedEvent } from './events.ts'
import { keysOf, open } from './world.ts'

suite('an image.deleted', () => {
  test('of a scan cancels its job by an object of its own, once', async () => {
    const { ledger, calls, tell, counts } = open()
    const event = deletedEvent('scan')
    for (let round = 0; round < 2; round++) assert.deepEqual(await tell(event), { kind: 'done' })
    assert.deepEqual([...ledger.facts], [keysOf(event).cancelled])
    assert.deepEqual(calls, ['ledger.cancel', 'ledger.cancel'])
    assert.equal((await counts())['cancels cancelled'], 2)
  })

  for (const [what, event] of [
    ['tells of an expiry', deletedEvent('scan', 1, { cause: 'expired' })],
    ['is of a purpose without jobs', deletedEvent('profile')],
    ['is of a purpose whose jobs are not wanted', deletedEvent('chat')],
  ] as const) {
    test(`that ${what} cancels nothing`, async () => {
      const { calls, tell, counts } = open()
      assert.deepEqual(await tell(event), { kind: 'done' })
      assert.deepEqual([calls, (await counts())['cancels passed']], [[], 1])
    })
  }

  test('of a scan that is not kept any more writes nothing', async () => {
    const { calls, tell, pass, counts } = open()
    pass(31 * 86_400)
    await tell(deletedEvent('scan'))
    assert.deepEqual([calls, (await counts())['cancels expired']], [[], 1])
  })

  test('before the image.uploaded keeps the job from being sent, at once and ever after', async () => {
    const { jobs, tell, pass, dispatched, counts } = open()
    await tell(deletedEvent('scan'))
    await tell(uploadedEvent('scan'))
    pass(3_600)
    await tell(uploadedEvent('scan'))
    assert.deepEqual([jobs.jobs, dispatched()], [[], []])
    assert.equal((await counts())['scans cancelled'], 2)
  })

  test('that is being written has its image.uploaded looked up already', async () => {
    const { ledger, calls, tell } = open()
    const release = ledger.faults.hold('cancel')
    const cancelled = tell(deletedEvent('scan'))
    await tell(uploadedEvent('scan'))
    assert.deepEqual(calls.slice(0, 2), ['ledger.cancel', 'ledger.find'])
    release()
    await cancelled
  })

  test('after the image.uploaded keeps every repeat and every re-creation from being sent', async () => {
    const { jobs, tell, pass, counts } = open()
    await tell(uploadedEvent('scan'))
    await tell(deletedEvent('scan'))
    pass(600)
    const again = { at: new Date('2025-01-01T12:10:00Z'), ticketAt: new Date('2025-01-01T12:00:00Z'), etag: 'new' }
    await tell(uploadedEvent('scan', 1, again))
    await tell(uploadedEvent('scan'))
    assert.equal(jobs.jobs.length, 1)
    assert.equal((await counts())['scans cancelled'], 2)
  })

  test('that another dispatcher has taken is found in the ledger', async () => {
    const { jobs, ledger, tell, pass } = open()
    await ledger.ledger.cancel({ jobId: uploadedEvent('scan').data.job_id ?? '', date: '20250101' }, noted)
    pass(600)
    await tell(uploadedEvent('scan'))
    assert.deepEqual(jobs.jobs, [])
  })

  for (const [what, value, reason] of [
    ['is not JSON', '{', /^the record is not JSON$/],
    ['is another event', JSON.stringify(uploadedEvent('scan')), /no image\.deleted event: type: /],
    [
      'names a key that is none',
      JSON.stringify(deletedEvent('scan')).replaceAll('scans/20250101', 'scans/2025'),
      /is not ours/,
    ],
  ] as const) {
    test(`that ${what} is rejected with the reason`, async () => {
      const { calls, take, counts } = open()
      const outcome = await take('image.deleted', value)
      assert.ok(outcome.kind === 'reject')
      assert.match(outcome.reason, reason)
      assert.deepEqual([calls, (await counts())['cancels dead_lettered']], [[], 1])
    })
  }
})

const noted = { key: 'key', eventId: 'f'.repeat(32), by: 'another', at: new Date('2025-01-01T12:00:00Z') }
