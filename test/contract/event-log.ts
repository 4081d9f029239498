import { suite } from 'node:test'

import { appendClaims } from './event-log/append.ts'
import { consumeClaims } from './event-log/consume.ts'
import { failureClaims } from './event-log/failures.ts'
import type { OpenFixture } from './event-log/fixture.ts'
import { offsetClaims } from './event-log/offsets.ts'
import { readClaims } from './event-log/read.ts'
import { topicClaims } from './event-log/topics.ts'

/** The promises of the EventLog port (shared/ports/event-log.ts), which any adapter can be bound to. */
export const eventLogContract = (name: string, open: OpenFixture) =>
  void suite(`${name} keeps the contract of an event log`, () => {
    topicClaims(open)
    appendClaims(open)
    readClaims(open)
    consumeClaims(open)
    offsetClaims(open)
    failureClaims(open)
  })
