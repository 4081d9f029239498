import assert from 'node:assert/strict'

import { dayMs } from '#shared/domain/purposes.ts'
import type { JobRef } from '#shared/domain/job-refs.ts'
import type { JobLedger } from '#shared/ports/job-ledger.ts'
import { remembersMs, type JobQueue } from '#shared/ports/job-queue.ts'

import { beginMs } from './images.ts'

type JobFacts = {
  accepts: number
  acceptedMs: number
  announcements: number
  isEntered: boolean
  enteredBy: string
  isCancelled: boolean
}

/** A day longer than a scan, as the state bucket's lifecycle has it. */
const ledgerDays = 31

/** All that outlives a dispatcher: the queue, the ledger and what was announced, on one clock that the simulation moves. */
export const openWorld = () => {
  const jobs = new Map<string, JobFacts>()
  let nowMs = beginMs
  let residue = 0
  /** What repeats are for: from the first replay on nothing may be sent. */
  let isReplay = false

  let violation: Error | undefined

  /** Remembered, since whoever calls a port takes a throw for a failure of the moment. */
  const insist = (holds: boolean, promise: string) => {
    if (holds) return
    violation ??= new Error(promise)
    throw violation
  }
  const factsOf = (id: string): JobFacts => {
    const known = jobs.get(id)
    if (known) return known
    const facts = { accepts: 0, acceptedMs: 0, announcements: 0, isEntered: false, enteredBy: '', isCancelled: false }
    jobs.set(id, facts)
    return facts
  }
  /** The one second send that docs/delivery.md admits: it was accepted, then nothing was entered for 5 minutes. */
  const checkSecond = (id: string, { isEntered, acceptedMs }: JobFacts) => {
    insist(!isEntered, `${id} was sent again though the ledger knew it`)
    insist(nowMs - acceptedMs >= remembersMs, `${id} was sent again though the queue knew it`)
    residue++
  }
  const queue: JobQueue = {
    send: ({ job_id }) => {
      const facts = factsOf(job_id)
      if (facts.accepts > 0 && nowMs - facts.acceptedMs < remembersMs) return Promise.resolve()
      if (facts.accepts > 0) checkSecond(job_id, facts)
      insist(!isReplay, `${job_id} was sent by a replay`)
      facts.accepts++
      facts.acceptedMs = nowMs
      return Promise.resolve()
    },
    ping: () => Promise.resolve(),
  }
  const stateOf = ({ jobId }: JobRef) => factsOf(jobId)
  const ledger: JobLedger = {
    find: (ref) => Promise.resolve({ isDispatched: stateOf(ref).isEntered, isCancelled: stateOf(ref).isCancelled }),
    enter: (ref, { by, at }) => {
      const facts = stateOf(ref)
      insist(facts.accepts > 0, `${ref.jobId} was entered before the queue had it`)
      insist(facts.announcements > 0, `${ref.jobId} was entered before it was announced`)
      const own = `${by} ${at.getTime()}`
      if (!facts.isEntered) facts.enteredBy = own
      facts.isEntered = true
      return Promise.resolve(facts.enteredBy === own ? 'entered' : 'known')
    },
    cancel: (ref) => {
      stateOf(ref).isCancelled = true
      return Promise.resolve()
    },
    ping: () => Promise.resolve(),
  }
  return {
    jobs,
    queue,
    ledger,
    announce: (id: string) => {
      factsOf(id).announcements++
    },
    now: () => new Date(nowMs),
    nowMs: () => nowMs,
    pass: (ms: number) => void (nowMs += ms),
    reach: (ms: number) => void (nowMs = Math.max(nowMs, ms)),
    residue: () => residue,
    violation: () => violation,
    beginReplay: () => void (isReplay = true),
    /** What the lifecycle does; only ever called when all of it is that old. */
    expireLedger: () => {
      assert.ok(nowMs - beginMs > ledgerDays * dayMs)
      for (const facts of jobs.values()) facts.isEntered = facts.isCancelled = false
    },
  }
}

export type World = ReturnType<typeof openWorld>
