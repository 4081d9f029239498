import type { Registry } from 'prom-client'

import type { EventLog } from '#shared/ports/event-log.ts'
import type { Log } from '#shared/runtime/log.ts'
import { messageOf } from '#shared/runtime/message-of.ts'

import { openAdministration } from './admin.ts'
import { clientOpener } from './client.ts'
import { runConsumer } from './consume.ts'
import { kafkaMetrics } from './metrics.ts'
import { openAppender } from './produce.ts'
import { readRecords } from './read.ts'
import { memberStatus } from './status.ts'
import type { MemberStatus } from './status.ts'
import { topicStore } from './topics.ts'
import type { KafkaConfig } from './variables.ts'

/** `problem`: why the log is not ready to be worked with, in a sentence; for a readiness check. */
export type KafkaEventLog = EventLog & { problem: () => Promise<string | undefined> }

/**
 * The event log on Apache Kafka. Nothing is connected before the first call.
 * @throws SetupError when the variables contradict each other
 */
export const kafkaEventLog = (config: KafkaConfig, options: { log?: Log; registry?: Registry } = {}): KafkaEventLog => {
  const { log } = options
  const openClient = clientOpener(config, log)
  const administration = openAdministration(openClient)
  const topics = topicStore(administration, config)
  const producer = openAppender(openClient)
  const closing = new AbortController()
  const members = new Set<MemberStatus>()
  const underWay = new Set<Promise<void>>()
  const metrics = options.registry && kafkaMetrics(options.registry, members)

  const consume: EventLog['consume'] = async (wanted, signals) => {
    const status = memberStatus(wanted.group)
    members.add(status)
    const appendLetters: EventLog['append'] = async (letters) => {
      await producer.append(letters)
      for (const { topic } of letters) metrics?.countDeadLetter(topic)
    }
    const context = { openClient, topicStore: topics, append: appendLetters, closing: closing.signal, status, log }
    try {
      await runConsumer(wanted, signals, context)
    } finally {
      members.delete(status)
    }
  }
  /** Closing waits for it. */
  const track = (work: Promise<void>): Promise<void> => {
    const settled = work.catch(() => undefined).then(() => void underWay.delete(settled))
    underWay.add(settled)
    return work
  }
  const ping = async () => {
    await administration.ask((admin) => admin.describeCluster())
  }
  const findProblem = async () => {
    const outside = [...members].find((member) => !member.isMember())
    if (outside) return `the group ${outside.group} has given this member no assignment yet`
    await ping()
    return undefined
  }

  let closed: Promise<void> | undefined
  const close = async () => {
    closing.abort()
    await Promise.all(underWay)
    await Promise.all([producer.close(), administration.close()])
  }
  return {
    append: (records) => track(producer.append(records)),
    consume: (wanted, signals) => track(consume(wanted, signals)),
    read: (wanted) => readRecords(wanted, { openClient, administration, topicStore: topics, closing: closing.signal }),
    ensureTopics: topics.ensureTopics,
    checkTopics: topics.checkTopics,
    ping,
    problem: () => findProblem().catch(messageOf),
    close: () => (closed ??= close()),
  }
}
