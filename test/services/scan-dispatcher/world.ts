import { Registry } from 'prom-client'

import { eventRecord, scanDispatchedSchema, type ImageDeleted, type ImageUploaded } from '#shared/domain/events.ts'
import { jobKeys, refJob } from '#shared/domain/job-refs.ts'
import { parseKey } from '#shared/domain/keys.ts'
import type { Purpose } from '#shared/domain/purposes.ts'
import { openLog } from '#shared/runtime/log.ts'

import { openDispatcher } from '../../../services/scan-dispatcher/dispatcher.ts'
import { dispatcherMetrics } from '../../../services/scan-dispatcher/metrics.ts'
import { recordsInHand } from '../../../services/scan-dispatcher/records-in-hand.ts'
import { fakeEventLog } from '../../support/fakes/event-log.ts'
import { intercept, type Around } from '../../support/fakes/intercept.ts'
import { fakeJobLedger } from '../../support/fakes/job-ledger.ts'
import { fakeJobQueue } from '../../support/fakes/job-queue.ts'
import { recordOf, uploadedAt } from './events.ts'

/** The calls that the first event of a scan costs while it is young. */
export const normalPath = ['jobs.send', 'events.append', 'ledger.enter']

const silent = openLog({ name: 'test', level: 'silent' })

/** What outlives a dispatcher, on one clock. */
export const openSurroundings = () => {
  const jobs = fakeJobQueue()
  let nowMs = uploadedAt.getTime() + 1_000
  const pass = (seconds: number) => {
    nowMs += seconds * 1000
    jobs.pass(seconds)
  }
  return { jobs, ledger: fakeJobLedger(), events: fakeEventLog(), now: () => new Date(nowMs), pass }
}

export type Surroundings = ReturnType<typeof openSurroundings>

/** A dispatcher whose every call of a port goes through `around`; `told` is what it says of services that are away. */
export const startDispatcher = (
  { jobs, ledger, events, now }: Surroundings,
  { around = (_, proceed) => proceed(), purposes = ['scan'] }: { around?: Around; purposes?: readonly Purpose[] } = {},
) => {
  const told: string[] = []
  const registry = new Registry()
  const inHand = recordsInHand()
  const gate = {
    shut: (name: string) => void told.push(`shut ${name}`),
    opened: () => Promise.resolve(told.push('opened') > 0),
  }
  const handle = openDispatcher({
    jobs: intercept('jobs', jobs.queue, around),
    ledger: intercept('ledger', ledger.ledger, around),
    events: intercept('events', events.log, around),
    purposes,
    now,
    log: silent,
    metrics: dispatcherMetrics(registry, inHand.count),
    inHand,
    gate,
  })
  return { handle, told, registry }
}

/** One dispatcher in its surroundings. */
export const open = (options: { purposes?: readonly Purpose[] } = {}) => {
  const surroundings = openSurroundings()
  const calls: string[] = []
  const around: Around = (call, proceed) => {
    calls.push(call)
    return proceed()
  }
  const { handle, told, registry } = startDispatcher(surroundings, { around, ...options })
  const context = { signal: new AbortController().signal, attempt: 1 }
  return {
    ...surroundings,
    handle,
    told,
    calls,
    registry,
    take: (topic: string, value: string) => handle(recordOf(topic, value), context),
    tell: (event: ImageUploaded | ImageDeleted) => handle(recordOf(event.type, eventRecord(event).value), context),
    dispatched: () => surroundings.events.records.map(({ value }) => scanDispatchedSchema.parse(JSON.parse(value))),
    counts: () => readCounts(registry),
  }
}

/** Every figure that is not 0, by its name and label. */
export const readCounts = async (registry: Registry): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { name, values } of await registry.getMetricsAsJSON()) {
    for (const one of values) {
      const { value, labels } = one
      const label = Object.values(labels).join(' ')
      // Of a histogram the sum and the count have names of their own.
      const full = 'metricName' in one ? String(one.metricName) : name
      if (value !== 0) counts[`${full.replace(/^image_intake_|_total$/g, '')} ${label}`.trim()] = value
    }
  }
  return counts
}

/** Where the ledger keeps an image's job. */
export const keysOf = (event: ImageUploaded | ImageDeleted) => {
  const parsed = parseKey(event.data.key)
  const ref = parsed.ok ? refJob(event.data.bucket, parsed.facts) : undefined
  if (!ref) throw new Error(`${event.data.key} has no job`)
  return jobKeys(ref)
}
