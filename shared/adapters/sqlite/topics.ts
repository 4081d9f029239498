import type { DatabaseSync } from 'node:sqlite'

import type { TopicSpec } from '#shared/domain/resources.ts'
import { SetupError } from '#shared/ports/failures.ts'

import { inTransaction, integer, text } from './database.ts'

export type StoredTopic = TopicSpec & { id: number }

export const topicStore = (database: DatabaseSync) => {
  const selectAll = database.prepare('SELECT id, name, partitions, retention_days FROM topics ORDER BY name')
  const insert = database.prepare('INSERT INTO topics (name, partitions, retention_days) VALUES (?, ?, ?)')
  const update = database.prepare('UPDATE topics SET partitions = ?, retention_days = ? WHERE id = ?')

  const list = (): StoredTopic[] =>
    selectAll.all().map((row) => ({
      id: integer(row['id']),
      name: text(row['name']),
      partitions: integer(row['partitions']),
      retentionDays: integer(row['retention_days']),
    }))

  const apply = (wanted: TopicSpec, stored: StoredTopic | undefined): string | undefined => {
    const { name } = wanted
    if (!stored) {
      insert.run(name, wanted.partitions, wanted.retentionDays)
      return `Created the topic ${name} with ${wanted.partitions} partitions, kept for ${wanted.retentionDays} days.`
    }
    const retentionDays = Math.max(wanted.retentionDays, stored.retentionDays)
    // A partition is never taken away: its records would be lost.
    const partitions = Math.max(wanted.partitions, stored.partitions)
    if (partitions === stored.partitions && retentionDays === stored.retentionDays) return undefined
    update.run(partitions, retentionDays, stored.id)
    return `Changed the topic ${name} to ${partitions} partitions, kept for ${retentionDays} days.`
  }

  return {
    list,
    /** @throws SetupError naming all that do not exist */
    find: (names: readonly string[]): StoredTopic[] => {
      const stored = new Map(list().map((topic) => [topic.name, topic]))
      const missing = names.filter((name) => !stored.has(name))
      if (missing.length > 0) throw unknownTopics(missing)
      return names.flatMap((name) => stored.get(name) ?? [])
    },
    ensure: (topics: readonly TopicSpec[]): string[] =>
      inTransaction(database, () => {
        const stored = new Map(list().map((topic) => [topic.name, topic]))
        return topics.flatMap((topic) => apply(topic, stored.get(topic.name)) ?? [])
      }),
    check: (topics: readonly TopicSpec[]): void => {
      const stored = new Map(list().map((topic) => [topic.name, topic]))
      const problems = topics.flatMap((topic) => findProblem(topic, stored.get(topic.name)) ?? [])
      if (problems.length > 0) throw new SetupError(`${problems.join(' ')} ${remedy}`)
    },
  }
}

export type TopicStore = ReturnType<typeof topicStore>

const remedy = '`npm run topics` mends that; in local mode `npm start` does.'

/** More than wanted is no problem: partitions can't be taken away, and a longer retention is the operator's choice. */
const findProblem = (wanted: TopicSpec, stored: StoredTopic | undefined): string | undefined => {
  const { name, partitions, retentionDays } = wanted
  if (!stored) return `The topic ${name} does not exist.`
  if (stored.partitions < partitions)
    return `The topic ${name} has ${stored.partitions} partitions instead of ${partitions}.`
  if (stored.retentionDays < retentionDays)
    return `The topic ${name} is kept for ${stored.retentionDays} days instead of ${retentionDays}.`
  return undefined
}

const unknownTopics = (names: readonly string[]): SetupError => {
  const subject = names.length === 1 ? `The topic ${names.join()} does` : `The topics ${names.join(', ')} do`
  return new SetupError(`${subject} not exist. \`npm run topics\` creates it; in local mode \`npm start\` does.`)
}

/** FNV-1a (RFC draft-eastlake-fnv) over the key's UTF-16 units: the same key, the same partition, in every process. */
export const partitionOf = (key: string, partitions: number): number => {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  return (hash >>> 0) % partitions
}
