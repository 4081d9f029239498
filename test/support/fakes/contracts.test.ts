import { OutageError, SetupError } from '#shared/ports/failures.ts'
import { jobLedgerContract } from '../../contract/job-ledger.ts'
import { jobQueueContract } from '../../contract/job-queue.ts'
import { messageQueueContract } from '../../contract/message-queue.ts'
import { objectStoreContract } from '../../contract/object-store.ts'
import type { Faults } from './faults.ts'
import { fakeJobLedger } from './job-ledger.ts'
import { fakeJobQueue } from './job-queue.ts'
import { fakeMessageQueue } from './message-queue.ts'
import { fakeObjectStore } from './object-store.ts'

/** A fake whose every call fails. */
const failing = <Fake extends { faults: Faults }>(fake: Fake, calls: readonly string[], error: Error): Fake => {
  for (const call of calls) fake.faults.fail(call, error, Infinity)
  return fake
}
const misplaced = new SetupError('there is no such place')
const away = new OutageError('SQS', 'nothing answers')

objectStoreContract('the fake', () => {
  const { store, upload } = fakeObjectStore()
  const calls = ['readStart', 'head', 'put', 'create', 'replace', 'remove', 'removeVersion', 'ping']
  return Promise.resolve({
    store,
    upload,
    misplaced: failing(fakeObjectStore(), calls, misplaced).store,
    away: failing(fakeObjectStore(), calls, away).store,
  })
})

messageQueueContract('the fake', () => {
  const { queue, pass } = fakeMessageQueue()
  const calls = ['receive', 'acknowledge', 'extend', 'send', 'ping']
  return Promise.resolve({
    queue,
    pass,
    misplaced: failing(fakeMessageQueue(), calls, misplaced).queue,
    away: failing(fakeMessageQueue(), calls, away).queue,
  })
})

jobQueueContract('the fake', () => {
  const { queue, jobs, pass } = fakeJobQueue()
  let taken = 0
  const drain = () => {
    const drained = jobs.slice(taken)
    taken = jobs.length
    return Promise.resolve(drained)
  }
  const calls = ['send', 'ping']
  return Promise.resolve({
    queue,
    drain,
    pass,
    misplaced: failing(fakeJobQueue(), calls, misplaced).queue,
    away: failing(fakeJobQueue(), calls, away).queue,
  })
})

jobLedgerContract('the fake', () => {
  const { ledger } = fakeJobLedger()
  const calls = ['find', 'enter', 'cancel', 'ping']
  return Promise.resolve({
    ledger,
    other: ledger,
    misplaced: failing(fakeJobLedger(), calls, misplaced).ledger,
    away: failing(fakeJobLedger(), calls, away).ledger,
  })
})
