import { consumedTopics, deadLetterTopic, topics } from '../shared/domain/resources.ts'
import type { Access, Choice, RoleName, Target } from './access.ts'

const on = (...names: string[]): Target => ({ kind: 'topics', topics: names })
const letters = (...names: string[]) => names.map(deadLetterTopic)
const deletions = ['image.deleted', 'image.rejected']
const everyTopic = topics.map(({ name }) => name)

type KafkaUse = {
  writes: readonly string[]
  consumes?: { topics: readonly string[]; group: string }
  /** Asks for their settings too. */
  checks?: readonly string[]
  creates?: readonly string[]
  only?: Choice
}

const kafkaUses: Partial<Record<RoleName, KafkaUse>> = {
  'upload-watcher': { writes: ['image.uploaded', 'image.rejected', 'image.deleted'], checks: everyTopic },
  'scan-dispatcher': {
    writes: ['scan.dispatched', ...letters(...consumedTopics)],
    consumes: { topics: consumedTopics, group: 'scan-dispatcher' },
    checks: everyTopic,
  },
  'vision-worker': { writes: ['scan.analyzed'], only: 'worker' },
  'cdn-invalidator': {
    writes: letters(...deletions),
    consumes: { topics: deletions, group: 'cdn-invalidator' },
    checks: [...deletions, ...letters(...deletions)],
    creates: letters(...deletions).filter((name) => !everyTopic.includes(name)),
    only: 'invalidation',
  },
}

/** Source: Amazon MSK Developer Guide, "Semantics of IAM authorization policy actions and resources". */
const kafkaRows = ([role, use]: [RoleName, KafkaUse]): Access[] => {
  const row = (calls: string[], target: Target, why: string): Access => ({
    role,
    calls: calls.map((call) => `kafka-cluster:${call}`),
    on: target,
    why,
    only: ['msk', ...(use.only ? [use.only] : [])],
  })
  const { writes, consumes, checks, creates } = use
  return [
    row(['Connect', 'DescribeCluster'], { kind: 'cluster' }, 'connects; asks whether the cluster is there'),
    checks
      ? row(['DescribeTopic', 'DescribeTopicDynamicConfiguration'], on(...checks), 'checks the topics at its start')
      : row(['DescribeTopic'], on(...writes), "asks for the topics' leaders"),
    row(['WriteData'], on(...writes), 'publishes'),
    ...(creates ? [row(['CreateTopic'], on(...creates), 'makes its dead letters at its first start')] : []),
    ...(consumes
      ? [
          row(['ReadData'], on(...consumes.topics), 'consumes'),
          row(['AlterGroup', 'DescribeGroup'], { kind: 'group', group: consumes.group }, 'keeps its place'),
        ]
      : []),
  ]
}

// Object.entries forgets the type of a closed literal's keys.
const uses = Object.entries(kafkaUses) as [RoleName, KafkaUse][]

/** What each service may do on an MSK cluster. */
export const kafkaAccess: readonly Access[] = uses.flatMap(kafkaRows)
