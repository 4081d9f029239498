import { jobKeys } from '#shared/domain/job-refs.ts'
import type { JobLedger } from '#shared/ports/job-ledger.ts'

import { openFaults, type Faults } from './faults.ts'

/** `facts`: what was written, by the names of the state bucket. */
export type FakeJobLedger = { ledger: JobLedger; faults: Faults; readonly facts: ReadonlySet<string> }

/** A ledger in memory. */
export const fakeJobLedger = (): FakeJobLedger => {
  const facts = new Set<string>()
  const notes = new Map<string, string>()
  const faults = openFaults()
  const ledger: JobLedger = {
    find: async (ref) => {
      await faults.strike('find')
      const { entry, cancelled } = jobKeys(ref)
      return { isDispatched: facts.has(entry), isCancelled: facts.has(cancelled) }
    },
    enter: async (ref, note) => {
      await faults.strike('enter')
      const { entry } = jobKeys(ref)
      if (!facts.has(entry)) notes.set(entry, JSON.stringify(note))
      facts.add(entry)
      return notes.get(entry) === JSON.stringify(note) ? 'entered' : 'known'
    },
    cancel: async (ref) => {
      await faults.strike('cancel')
      facts.add(jobKeys(ref).cancelled)
    },
    ping: () => faults.strike('ping'),
  }
  return { ledger, faults, facts }
}
