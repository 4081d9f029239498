import { accessTable, type Access, type Choice, type Target } from './access.ts'
import { queueNames } from '../shared/domain/resources.ts'

const choices: Readonly<Record<Choice, string>> = {
  'rejected-are-deleted': '`rejectedAction: "delete"`',
  worker: '`visionWorker`',
  invalidation: '`cdn.invalidation`',
  msk: '`mskCluster`',
}

const code = (texts: readonly string[]) => texts.map((text) => `\`${text}\``).join(', ')
const starred = (prefixes: readonly string[]) => code(prefixes.map((prefix) => `${prefix}*`))

const describeTarget = (target: Target): string => {
  switch (target.kind) {
    case 'objects':
      return `${target.bucket}: ${starred(target.prefixes)}`
    case 'listing':
      return `${target.bucket}, keys ${starred(target.prefixes)}`
    case 'queue':
      return `queue \`${queueNames[target.queue]}\``
    case 'distribution':
      return 'the distribution'
    case 'cluster':
      return 'the MSK cluster'
    case 'topics':
      return `topics ${code(target.topics)}`
    case 'group':
      return `group \`${target.group}\``
    default:
      throw new Error(`no such target: ${JSON.stringify(target satisfies never)}`)
  }
}

const describeRow = ({ role, calls, on, why, only = [] }: Access) => {
  const condition = only.length === 0 ? '' : ` (only with ${only.map((choice) => choices[choice]).join(' and ')})`
  return `| ${role} | ${code(calls)} | ${describeTarget(on)} | ${why}${condition} |`
}

/** The table of access as docs/deploy-aws.md holds it. */
export const writeAccessPage = (): string[] => [
  '| role | may call | on | because |',
  '| --- | --- | --- | --- |',
  ...accessTable.map(describeRow),
]

if (import.meta.main) process.stdout.write(`${writeAccessPage().join('\n')}\n`)
