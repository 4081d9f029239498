import kafkajs from 'kafkajs'
import type { Admin, ITopicMetadata } from 'kafkajs'

import type { TopicSpec } from '#shared/domain/resources.ts'
import type { EventLog } from '#shared/ports/event-log.ts'
import { SetupError } from '#shared/ports/failures.ts'
import { backoff, retrying } from '#shared/runtime/backoff.ts'

import type { Administration } from './admin.ts'
import { isPassing, unknownTopics } from './failures.ts'
import { describeTopics } from './topic-descriptions.ts'
import type { StoredTopic } from './topic-descriptions.ts'
import type { KafkaConfig } from './variables.ts'

const msPerDay = 86_400_000

export const topicStore = (administration: Administration, config: KafkaConfig) => {
  const { KAFKA_REPLICATION: wantedReplicas = 3, KAFKA_MIN_INSYNC: wantedInsync = 2 } = config
  const settingsOf = ({ retentionDays }: TopicSpec, replicas: number) => ({
    'retention.ms': String(retentionDays * msPerDay),
    'min.insync.replicas': String(Math.min(wantedInsync, replicas)),
  })

  const create = async (admin: Admin, spec: TopicSpec, brokers: number): Promise<string> => {
    const { name, partitions, retentionDays } = spec
    const replicas = Math.min(wantedReplicas, brokers)
    const settings = settingsOf(spec, replicas)
    await admin.createTopics({
      // kafkajs's own waiting gives up at the first broker that has not heard of the topic yet.
      waitForLeaders: false,
      topics: [
        { topic: name, numPartitions: partitions, replicationFactor: replicas, configEntries: entriesOf(settings) },
      ],
    })
    const replication = `${replicas} replicas (at least ${settings['min.insync.replicas']} in sync)`
    return `Created the topic ${name} with ${partitions} partitions of ${replication}, kept for ${retentionDays} days.`
  }
  const change = async (admin: Admin, spec: TopicSpec, stored: StoredTopic): Promise<string[]> => {
    const { name, partitions } = spec
    const changes: string[] = []
    // A partition is never taken away: its records would be lost.
    if (stored.partitions < partitions) {
      await admin.createPartitions({ topicPartitions: [{ topic: name, count: partitions }] })
      changes.push(`Changed the topic ${name} from ${stored.partitions} to ${partitions} partitions.`)
    }
    const wanted = settingsOf(spec, stored.replicas)
    const differing = Object.entries(wanted).filter(([key, value]) => isLess(stored.settings[key], value))
    if (differing.length > 0) {
      // This request puts back to its default what it does not name.
      const configEntries = entriesOf({ ...stored.own, ...wanted })
      const type = kafkajs.ConfigResourceTypes.TOPIC
      await admin.alterConfigs({ validateOnly: false, resources: [{ type, name, configEntries }] })
      changes.push(...differing.map(([key, value]) => `Changed ${key} of the topic ${name} to ${value}.`))
    }
    return changes
  }
  const findProblems = (spec: TopicSpec, stored: StoredTopic | undefined): string[] => {
    const { name, partitions } = spec
    if (!stored) return [`The topic ${name} does not exist.`]
    const tooFew = stored.partitions < partitions
    return [
      ...(tooFew ? [`The topic ${name} has ${stored.partitions} partitions instead of ${partitions}.`] : []),
      ...Object.entries(settingsOf(spec, stored.replicas))
        .filter(([key, value]) => isLess(stored.settings[key], value))
        .map(([key, value]) => `The topic ${name} has ${key}=${stored.settings[key] ?? ''} instead of ${value}.`),
    ]
  }
  const askAbout = async <T>(specs: readonly TopicSpec[], question: (admin: Admin) => Promise<T>) =>
    administration.ask(
      question,
      specs.map(({ name }) => name),
    )

  /** A new topic is known to the brokers a moment after it is made. */
  const knowTopics = (admin: Admin, specs: readonly TopicSpec[]) =>
    retrying(() => admin.fetchTopicMetadata({ topics: specs.map(({ name }) => name) }), {
      attempts: 20,
      delayMs: backoff({ baseMs: 50, capMs: 1_000 }),
      isFinal: (error) => !isPassing(error),
    })

  const ensureTopics: EventLog['ensureTopics'] = (specs) =>
    askAbout(specs, async (admin) => {
      const { brokers } = await admin.describeCluster()
      const stored = await describeTopics(admin, specs)
      const changes: string[] = []
      for (const spec of specs) {
        const topic = stored.get(spec.name)
        if (topic) changes.push(...(await change(admin, spec, topic)))
        else changes.push(await create(admin, spec, brokers.length))
      }
      if (changes.length > 0) await knowTopics(admin, specs)
      return changes
    })

  const checkTopics: EventLog['checkTopics'] = async (specs) => {
    const stored = await askAbout(specs, (admin) => describeTopics(admin, specs))
    const problems = specs.flatMap((spec) => findProblems(spec, stored.get(spec.name)))
    if (problems.length > 0) throw new SetupError(`${problems.join(' ')} \`npm run topics\` mends that.`)
  }

  /** @throws SetupError naming all that do not exist */
  const findTopics = async (names: readonly string[]): Promise<ITopicMetadata[]> => {
    const listed = new Set(await administration.ask((admin) => admin.listTopics()))
    const missing = names.filter((name) => !listed.has(name))
    if (missing.length > 0) throw unknownTopics(missing)
    const { topics } = await administration.ask((admin) => admin.fetchTopicMetadata({ topics: [...names] }), names)
    return topics
  }
  return { ensureTopics, checkTopics, findTopics }
}

export type TopicStore = ReturnType<typeof topicStore>

/** More than is wanted is the operator's choice; a retention of -1 is for ever. */
const isLess = (stored: string | undefined, wanted: string) =>
  stored === undefined || (stored !== '-1' && Number(stored) < Number(wanted))

const entriesOf = (settings: Readonly<Record<string, string>>) =>
  Object.entries(settings).map(([name, value]) => ({ name, value }))
