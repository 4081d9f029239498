import { randomUUID } from 'node:crypto'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'

import { inTransaction, integer, text } from './database.ts'
import { isRunning, nameMachine } from './machine.ts'
import type { Partition } from './records.ts'
import type { TopicStore } from './topics.ts'

/** A member that has not renewed for this long is taken for dead, whatever its process does. */
export const leaseMs = 4_000
export const renewEveryMs = 1_000

/** A partition that the group's table says is this member's. `isPlanned`: it is to keep it. */
export type Holding = Partition & { committed: number; isPlanned: boolean }

type Member = { id: string; topics: readonly string[]; machine: string; pid: number; expiresAt: number }

/** Members of this process: another member with this process's id is a dead one that had the same id. */
const localMembers = new Set<string>()

/**
 * One member of a group. Members share the group's partitions by leases in the file: each renews its own, leaves those
 * of living members alone and claims from dead ones what the common plan gives it. Only a partition's owner can commit.
 * All methods throw what SQLite throws.
 */
export const joinGroup = (options: {
  database: DatabaseSync
  topicStore: TopicStore
  group: string
  topics: readonly string[]
  now: () => Date
}) => {
  const { database, topicStore, group, topics, now } = options
  const id = randomUUID()
  const machine = nameMachine()
  const statements = prepareStatements(database)
  localMembers.add(id)

  const isAlive = (member: Member): boolean => {
    if (member.expiresAt <= now().getTime()) return false
    if (member.machine !== machine) return true
    return member.pid === process.pid ? localMembers.has(member.id) : isRunning(member.pid)
  }
  const dismissDead = () => {
    for (const member of statements.selectMembers.all(group).map(parseMember))
      if (!isAlive(member)) statements.deleteMember.run(member.id)
  }
  const claim = (plan: readonly Partition[]) => {
    for (const { topic, partition } of plan) statements.claim.run(group, topic.id, partition, id)
  }

  return {
    /** Renews the lease, claims what is due and free, and says what is held. */
    renew: (): Holding[] =>
      inTransaction(database, () => {
        dismissDead()
        const expiresAt = now().getTime() + leaseMs
        statements.upsertMember.run(id, group, JSON.stringify(topics), machine, process.pid, expiresAt)
        const members = statements.selectMembers.all(group).map(parseMember)
        const plan = planAssignment(listPartitions(topicStore), members).get(id) ?? []
        claim(plan)
        const planned = new Set(plan.map(nameOf))
        return statements.selectHeld.all(group, id).flatMap((row) => {
          const topic = topicStore.list().find((stored) => stored.id === row['topic'])
          if (!topic) return []
          const held = { topic, partition: integer(row['partition']) }
          return { ...held, committed: integer(row['committed']), isPlanned: planned.has(nameOf(held)) }
        })
      }),
    /** @returns those that are no longer this member's, and so did not move */
    commit: (offsets: readonly (Partition & { offset: number })[]): Partition[] =>
      inTransaction(database, () =>
        offsets.filter(
          ({ topic, partition, offset }) => statements.commit.run(offset, group, topic.id, partition, id).changes === 0,
        ),
      ),
    release: ({ topic, partition }: Partition): void => void statements.release.run(group, topic.id, partition, id),
    /** Others may take over at once. */
    leave: (): void => {
      localMembers.delete(id)
      inTransaction(database, () => {
        statements.releaseAll.run(id)
        statements.deleteMember.run(id)
      })
    },
  }
}

export type Membership = ReturnType<typeof joinGroup>

const prepareStatements = (database: DatabaseSync) => ({
  selectMembers: database.prepare('SELECT * FROM members WHERE group_name = ? ORDER BY rowid'),
  upsertMember: database.prepare(
    `INSERT INTO members (id, group_name, topics, machine, pid, expires_at) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at`,
  ),
  deleteMember: database.prepare('DELETE FROM members WHERE id = ?'),
  claim: database.prepare(
    `INSERT INTO positions (group_name, topic, partition, committed, owner) VALUES (?, ?, ?, 0, ?)
      ON CONFLICT DO UPDATE SET owner = excluded.owner
      WHERE owner IS NULL OR owner NOT IN (SELECT id FROM members)`,
  ),
  selectHeld: database.prepare('SELECT topic, partition, committed FROM positions WHERE group_name = ? AND owner = ?'),
  commit: database.prepare(
    'UPDATE positions SET committed = ? WHERE group_name = ? AND topic = ? AND partition = ? AND owner = ?',
  ),
  release: database.prepare(
    'UPDATE positions SET owner = NULL WHERE group_name = ? AND topic = ? AND partition = ? AND owner = ?',
  ),
  releaseAll: database.prepare('UPDATE positions SET owner = NULL WHERE owner = ?'),
})

const parseMember = (row: Record<string, SQLOutputValue>): Member => ({
  id: text(row['id']),
  // `as`: the column is only ever written by `renew` above, from topic names.
  topics: JSON.parse(text(row['topics'])) as string[],
  machine: text(row['machine']),
  pid: integer(row['pid']),
  expiresAt: integer(row['expires_at']),
})

const listPartitions = (topicStore: TopicStore): Partition[] =>
  topicStore
    .list()
    .flatMap((topic) => Array.from({ length: topic.partitions }, (_, partition) => ({ topic, partition })))

/** Deals the partitions out in turn; every member that looks at the same tables comes to the same plan. */
export const planAssignment = (
  partitions: readonly Partition[],
  members: readonly Pick<Member, 'id' | 'topics'>[],
): Map<string, Partition[]> => {
  const plan = new Map<string, Partition[]>(members.map(({ id }) => [id, []]))
  let turn = 0
  for (const held of partitions) {
    const subscribers = members.filter(({ topics }) => topics.includes(held.topic.name))
    const member = subscribers[turn % subscribers.length]
    if (!member) continue
    plan.get(member.id)?.push(held)
    turn++
  }
  return plan
}

export const nameOf = ({ topic, partition }: Partition): string => `${topic.name}/${partition}`
