import type { Registry } from 'prom-client'

import type { Config } from '#shared/runtime/config.ts'
import type { Gate } from '#shared/runtime/gate.ts'
import { healthServer, type Check } from '#shared/runtime/health.ts'

import type { OpenedEventLog } from './event-log.ts'
import type { healthVariables } from './variables.ts'

/** Health and metrics of a service that works behind a gate and on the event log; `checks` are its own. */
export const gatedHealth = (
  config: Config<ReturnType<typeof healthVariables>>,
  {
    registry,
    gate,
    events,
    checks = [],
  }: { registry: Registry; gate: Gate; events: OpenedEventLog; checks?: readonly Check[] },
) =>
  healthServer({
    host: config.HOST,
    port: config.HEALTH_PORT,
    registry,
    checks: [
      ...gate.names.map((name) => ({ name, problem: () => (gate.away.includes(name) ? 'is waited for' : undefined) })),
      { name: 'the group', problem: events.problem },
      ...checks,
    ],
  })
