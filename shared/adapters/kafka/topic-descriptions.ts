import kafkajs from 'kafkajs'
import type { Admin } from 'kafkajs'

import type { TopicSpec } from '#shared/domain/resources.ts'

export type StoredTopic = {
  partitions: number
  replicas: number
  /** All settings as they are in force. */
  settings: Record<string, string>
  /** Those that were set for this topic. */
  own: Record<string, string>
}

/** Those of the topics that exist, by name. */
export const describeTopics = async (admin: Admin, specs: readonly TopicSpec[]): Promise<Map<string, StoredTopic>> => {
  const listed = new Set(await admin.listTopics())
  const names = specs.map(({ name }) => name).filter((name) => listed.has(name))
  if (names.length === 0) return new Map()
  const { topics } = await admin.fetchTopicMetadata({ topics: names })
  const resources = names.map((name) => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name }))
  const described = await admin.describeConfigs({ includeSynonyms: false, resources })
  const entries = new Map(described.resources.map((one) => [one.resourceName, one.configEntries]))
  return new Map(
    topics.map(({ name, partitions }): [string, StoredTopic] => {
      const all = entries.get(name) ?? []
      const own = all.filter(({ configSource }) => configSource === kafkajs.ConfigSource.TOPIC_CONFIG)
      const replicas = Math.min(...partitions.map((partition) => partition.replicas.length))
      return [name, { partitions: partitions.length, replicas, settings: toRecord(all), own: toRecord(own) }]
    }),
  )
}

const toRecord = (entries: readonly { configName: string; configValue: string }[]): Record<string, string> =>
  Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]))
