import { Counter, Gauge } from 'prom-client'
import type { Registry } from 'prom-client'

import type { MemberStatus } from './status.ts'

/** Metrics of this process's members of groups. */
export const kafkaMetrics = (registry: Registry, members: ReadonlySet<MemberStatus>) => {
  const registers = [registry]
  new Gauge({
    name: 'event_log_lag_records',
    help: 'Records of a partition, as of the last fetch, that this member has not committed yet.',
    labelNames: ['group', 'topic', 'partition'],
    registers,
    collect() {
      this.reset()
      for (const { group, partitions } of members)
        for (const { topic, partition, lag } of partitions())
          if (lag !== undefined) this.set({ group, topic, partition }, lag)
    },
  })
  new Gauge({
    name: 'event_log_assigned_partitions',
    help: 'Partitions that this member holds.',
    labelNames: ['group'],
    registers,
    collect() {
      this.reset()
      for (const { group, partitions } of members) this.set({ group }, partitions().length)
    },
  })
  new Gauge({
    name: 'event_log_last_heartbeat_timestamp_seconds',
    help: 'When the group last answered a heartbeat of this member.',
    labelNames: ['group'],
    registers,
    collect() {
      this.reset()
      for (const { group, heartbeatAt } of members) this.set({ group }, (heartbeatAt()?.getTime() ?? 0) / 1_000)
    },
  })
  const deadLetters = new Counter({
    name: 'event_log_dead_letters_total',
    help: 'Records that became dead letters here.',
    labelNames: ['topic'],
    registers,
  })
  return { countDeadLetter: (topic: string): void => deadLetters.inc({ topic }) }
}
