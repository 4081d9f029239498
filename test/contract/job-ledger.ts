import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'

import type { JobRef } from '#shared/domain/job-refs.ts'
import { OutageError, SetupError } from '#shared/ports/failures.ts'
import type { JobLedger } from '#shared/ports/job-ledger.ts'

export type JobLedgerUnderTest = {
  /** Empty. */
  ledger: JobLedger
  /** Another one on the same facts, as another process would have. */
  other: JobLedger
  /** The same adapter on a ledger that does not exist. */
  misplaced: JobLedger
  /** The same adapter where nothing answers. */
  away: JobLedger
  dispose?: () => Promise<void>
}

const ref = (number: number, date = '20250101'): JobRef => ({ jobId: number.toString(16).padStart(32, '0'), date })
const note = {
  key: 'scans/20250101/ü/0',
  eventId: 'f'.repeat(32),
  by: 'image.uploaded 0:1',
  at: new Date('2025-01-01T12:00:00Z'),
}

const calls: Readonly<Record<string, (ledger: JobLedger) => Promise<unknown>>> = {
  find: (ledger) => ledger.find(ref(1)),
  enter: (ledger) => ledger.enter(ref(1), note),
  cancel: (ledger) => ledger.cancel(ref(1), note),
  ping: (ledger) => ledger.ping(),
}

/** What every job ledger promises (shared/ports/job-ledger.ts). */
export const jobLedgerContract = (name: string, openLedger: () => Promise<JobLedgerUnderTest>): void => {
  const open = async (context: TestContext) => {
    const opened = await openLedger()
    context.after(() => opened.dispose?.())
    return opened
  }

  suite(`${name} as a job ledger`, () => {
    test('knows nothing of a job that was never written of', async (context) => {
      const { ledger } = await open(context)
      assert.deepEqual(await ledger.find(ref(1)), { isDispatched: false, isCancelled: false })
    })

    test('tells the first entry from a repeat, whoever makes it', async (context) => {
      const { ledger, other } = await open(context)
      assert.equal(await ledger.enter(ref(1), note), 'entered')
      const others = [
        { eventId: 'e'.repeat(32) },
        { by: 'image.uploaded 0:11' },
        { at: new Date('2025-01-01T12:00:00.001Z') },
      ]
      for (const changes of others)
        for (const one of [ledger, other]) assert.equal(await one.enter(ref(1), { ...note, ...changes }), 'known')
      assert.deepEqual(await other.find(ref(1)), { isDispatched: true, isCancelled: false })
    })

    test('tells who repeats its own entry, as after a lost answer, that it was the first', async (context) => {
      const { ledger } = await open(context)
      for (let round = 0; round < 3; round++) assert.equal(await ledger.enter(ref(1), note), 'entered')
      assert.equal(await ledger.enter(ref(1), { ...note, by: 'another' }), 'known')
      await ledger.cancel(ref(2), note)
      assert.equal(await ledger.enter(ref(2), note), 'entered')
    })

    test('keeps a cancellation beside the entry, in whatever order they come', async (context) => {
      const { ledger, other } = await open(context)
      await ledger.cancel(ref(1), note)
      assert.deepEqual(await other.find(ref(1)), { isDispatched: false, isCancelled: true })
      await other.cancel(ref(1), note)
      assert.equal(await ledger.enter(ref(1), note), 'entered')
      await ledger.enter(ref(2), note)
      await ledger.cancel(ref(2), note)
      for (const job of [ref(1), ref(2)])
        assert.deepEqual(await other.find(job), { isDispatched: true, isCancelled: true })
    })

    test('keeps jobs and days apart', async (context) => {
      const { ledger } = await open(context)
      await ledger.enter(ref(1), note)
      await ledger.cancel(ref(2), note)
      for (const job of [ref(3), ref(1, '20250102'), ref(16)])
        assert.deepEqual(await ledger.find(job), { isDispatched: false, isCancelled: false })
    })

    test('of many entries at once one is the first', async (context) => {
      const { ledger, other } = await open(context)
      const ends = await Promise.all(
        Array.from({ length: 12 }, (_, index) =>
          (index % 2 ? ledger : other).enter(ref(1), { ...note, by: `${index}` }),
        ),
      )
      assert.equal(ends.filter((end) => end === 'entered').length, 1)
    })

    test('answers a ping', async (context) => {
      const { ledger } = await open(context)
      await ledger.ping()
      await ledger.ping(AbortSignal.timeout(10_000))
    })

    for (const [call, make] of Object.entries(calls)) {
      test(`${call} on a ledger that does not exist is a fault of the set-up`, async (context) => {
        const { misplaced } = await open(context)
        await assert.rejects(make(misplaced), SetupError)
      })

      test(`${call} while nothing answers is an outage`, async (context) => {
        const { away } = await open(context)
        await assert.rejects(make(away), OutageError)
      })
    }
  })
}
