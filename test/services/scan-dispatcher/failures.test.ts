import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { eventRecord } from '#shared/domain/events.ts'
import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'
import type { Around } from '../../support/fakes/intercept.ts'
import { eventually } from '../../support/eventually.ts'
import { recordOf, uploadedEvent } from './events.ts'
import { normalPath, open, openSurroundings, readCounts, startDispatcher } from './world.ts'

suite('an image.uploaded that meets a failure', () => {
  test('waits for the service that is away, and then is thrown on', async () => {
    const { jobs, events, ledger, told, tell, calls } = open()
    const away = (service: 'S3' | 'SQS' | 'the event log') => new OutageError(service, 'a test')
    jobs.faults.fail('send', away('SQS'))
    await assert.rejects(tell(uploadedEvent('scan')), OutageError)
    events.faults.fail('append', away('the event log'))
    await assert.rejects(tell(uploadedEvent('scan')), OutageError)
    ledger.faults.fail('enter', away('S3'))
    await assert.rejects(tell(uploadedEvent('scan')), OutageError)
    const waits = ['SQS', 'the event log', 'S3'].flatMap((service) => [`shut ${service}`, 'opened'])
    assert.deepEqual(told, waits)
    assert.equal(calls.length, 6)
  })

  test('of a ledger that is away for long is neither sent nor announced twice', async () => {
    const { jobs, ledger, handle, pass, calls, dispatched, counts } = open()
    const record = recordOf('image.uploaded', eventRecord(uploadedEvent('scan')).value)
    const context = { signal: new AbortController().signal, attempt: 1 }
    ledger.faults.fail('enter', new OutageError('S3', 'a test'), 3)
    for (let round = 0; round < 3; round++) {
      await assert.rejects(handle(record, context), OutageError)
      pass(400)
    }
    assert.deepEqual(await handle(record, context), { kind: 'done' })
    assert.deepEqual([jobs.jobs.length, dispatched().length, ledger.facts.size], [1, 1, 1])
    assert.deepEqual(calls, [...normalPath, 'ledger.enter', 'ledger.enter', 'ledger.enter'])
    assert.equal((await counts())['dispatch_delay_seconds_sum'], 1, 'the delay ends where the queue accepted')
  })

  test('that takes the answer of its entry away is dispatched all the same, once', async () => {
    const surroundings = openSurroundings()
    let answers = 0
    const around: Around = async (call, proceed) => {
      const answer = await proceed()
      if (call === 'ledger.enter' && answers++ === 0) throw new OutageError('S3', 'the answer was lost')
      return answer
    }
    const { handle, registry } = startDispatcher(surroundings, { around })
    const { value } = eventRecord(uploadedEvent('scan'))
    const record = recordOf('image.uploaded', value)
    const context = { signal: new AbortController().signal, attempt: 1 }
    await assert.rejects(handle(record, context), OutageError)
    surroundings.pass(60)
    assert.deepEqual(await handle(record, context), { kind: 'done' })
    assert.deepEqual(await handle({ ...record, offset: '1' }, context), { kind: 'done' })
    const counts = await readCounts(registry)
    assert.deepEqual([counts['scans dispatched'], counts['scans already_dispatched']], [1, 1])
    assert.equal(counts['dispatch_delay_seconds_sum'], 1)
  })

  test('of its own is in hand until the fifth, and then counted once as a dead letter', async () => {
    const { jobs, handle, counts } = open()
    const record = recordOf('image.uploaded', eventRecord(uploadedEvent('scan')).value)
    const { signal } = new AbortController()
    jobs.faults.fail('send', new RefusalError('the job is too large'), 5)
    for (let attempt = 1; attempt < 5; attempt++)
      await assert.rejects(handle(record, { signal, attempt }), RefusalError)
    const taken = { 'dispatch_taken image.uploaded': 1 }
    assert.deepEqual(await counts(), { ...taken, dispatch_in_hand: 1 })
    await assert.rejects(handle(record, { signal, attempt: 5 }), RefusalError)
    assert.deepEqual(await counts(), { ...taken, 'scans dead_lettered': 1 })
  })

  test('waits only until it goes on', async () => {
    const { ledger, handle, counts } = open()
    const record = recordOf('image.uploaded', eventRecord(uploadedEvent('scan')).value)
    const context = { signal: new AbortController().signal, attempt: 1 }
    const waiting = async () => (await counts())['dispatch_waiting']
    ledger.faults.fail('enter', new OutageError('S3', 'a test'))
    await assert.rejects(handle(record, context), OutageError)
    assert.equal(await waiting(), 1)
    const release = ledger.faults.hold('enter')
    const handled = handle(record, context)
    await eventually(() => (ledger.faults.calls.get('enter') ?? 0) > 1, 'the ledger to be asked again')
    assert.equal(await waiting(), undefined)
    release()
    assert.deepEqual(await handled, { kind: 'done' })
  })

  for (const error of [new RefusalError('the job is too large'), new SetupError('there is no such queue')]) {
    test(`(${error.name}) throws it on, and shuts nothing`, async () => {
      const { jobs, events, told, tell } = open()
      jobs.faults.fail('send', error)
      await assert.rejects(tell(uploadedEvent('scan')), error)
      assert.deepEqual([told, events.records], [[], []])
    })
  }

  test('whose partition was given up says nothing of the services', async () => {
    const { ledger, handle, told, pass, counts } = open()
    const gone = new AbortController()
    pass(600)
    const release = ledger.faults.hold('find')
    ledger.faults.fail('find', new OutageError('S3', 'the request was aborted'))
    const record = recordOf('image.uploaded', eventRecord(uploadedEvent('scan')).value)
    const handled = assert.rejects(handle(record, { signal: gone.signal, attempt: 1 }), OutageError)
    gone.abort()
    release()
    await handled
    assert.deepEqual(told, [])
    assert.deepEqual(await counts(), {
      'dispatch_taken image.uploaded': 1,
      'dispatch_abandoned image.uploaded': 1,
    })
  })
})
