import { maxRedrives } from '#shared/domain/redrive.ts'
import { deadLetterTopic, queueNames, topics } from '#shared/domain/resources.ts'

import { UsageError } from './run-tool.ts'

/** Something that was given up and waits to be put back. */
export type Letter = {
  /** Names it for people: the object's key where it can be found. */
  key: string
  /** Why it was given up. */
  reason: string
  since: Date
  /** How often it was put back before. */
  redriveCount: number
}

/** Where letters lie. */
export type LetterSource<L extends Letter> = {
  /** All that wait, batch by batch, oldest first. A reader that leaves early leaves what it has not put back as it was. */
  read: () => AsyncIterable<readonly L[]>
  /** Puts letters back, in their order. Each is crossed out where it lay only when it is safely back. */
  putBack: (letters: readonly L[]) => Promise<void>
}

export type RedrivePath = { kind: 'topic' | 'queue'; from: string; to: string }
export type RedriveOrder = { path: RedrivePath; dryRun: boolean; limit: number; force: boolean }

const queuePaths: Readonly<Record<string, RedrivePath>> = {
  uploads: { kind: 'queue', from: queueNames.uploadsDeadLetters, to: queueNames.uploads },
  quarantine: { kind: 'queue', from: queueNames.quarantine, to: queueNames.uploads },
  jobs: { kind: 'queue', from: queueNames.jobsDeadLetters, to: queueNames.jobs },
}

const topicNames = topics.map(({ name }) => name)
const topicPaths = topicNames
  .filter((name) => topicNames.includes(deadLetterTopic(name)))
  .map((to) => [to, { kind: 'topic', from: deadLetterTopic(to), to }] as const)

/** What can be redriven, by the name that the command takes. */
export const redrivePaths: Readonly<Record<string, RedrivePath>> = { ...queuePaths, ...Object.fromEntries(topicPaths) }

export const redriveOptions = {
  'dry-run': { type: 'boolean' },
  limit: { type: 'string' },
  force: { type: 'boolean' },
} as const

/** The command's arguments as an order. @throws UsageError */
export const readOrder = (given: {
  values: Readonly<Record<string, string | boolean | undefined>>
  positionals: readonly string[]
}): RedriveOrder => {
  const [name, ...rest] = given.positionals
  const names = Object.keys(redrivePaths).join(', ')
  if (name === undefined || rest.length > 0) throw new UsageError(`name one of ${names}`)
  const path = Object.hasOwn(redrivePaths, name) ? redrivePaths[name] : undefined
  if (!path) throw new UsageError(`${name} has no dead letters that can be put back: name one of ${names}`)
  const { limit, force, 'dry-run': dryRun } = given.values
  return { path, dryRun: dryRun === true, force: force === true, limit: readLimit(limit) }
}

const readLimit = (limit: string | boolean | undefined): number => {
  if (limit === undefined) return Infinity
  if (typeof limit === 'string' && /^[1-9]\d{0,8}$/.test(limit)) return Number(limit)
  throw new UsageError(`--limit ${limit} is not a whole number of at least 1`)
}

/** Letters of one kind of reason. */
export type ReasonCount = { reason: string; count: number; oldest: Date; example: string }
export type RedriveTally = { redriven: readonly ReasonCount[]; heldBack: readonly ReasonCount[] }

/** Puts back what waits, as the order says; a dry run goes the same way and sends nothing. */
export const redriveLetters = async <L extends Letter>(
  source: LetterSource<L>,
  { dryRun, limit, force }: Omit<RedriveOrder, 'path'>,
): Promise<RedriveTally> => {
  const redriven = countReasons()
  const heldBack = countReasons()
  const isHeldBack = ({ redriveCount }: Letter) => !force && redriveCount >= maxRedrives
  let left = limit
  for await (const batch of source.read()) {
    const taken = batch.filter((letter) => !isHeldBack(letter)).slice(0, left)
    if (!dryRun) await source.putBack(taken)
    taken.forEach(redriven.add)
    batch.filter(isHeldBack).forEach(heldBack.add)
    left -= taken.length
    if (left <= 0) break
  }
  return { redriven: redriven.list(), heldBack: heldBack.list() }
}

const countReasons = () => {
  const counts = new Map<string, ReasonCount>()
  return {
    add: ({ reason: text, since, key }: Letter) => {
      const reason = generalize(text)
      const { count, oldest, example } = counts.get(reason) ?? { count: 0, oldest: since, example: key }
      counts.set(reason, {
        reason,
        count: count + 1,
        ...(since < oldest ? { oldest: since, example: key } : { oldest, example }),
      })
    },
    list: () => [...counts.values()].sort((one, other) => other.count - one.count),
  }
}

/** What a reason quotes differs from letter to letter; the rest says what kind it is. */
const generalize = (reason: string) => reason.replace(/"[^"]*"/g, '"..."')

/** What was done, for people, line by line. */
export const describeRedrive = ({ path, dryRun }: RedriveOrder, { redriven, heldBack }: RedriveTally): string[] => {
  const { from, to } = path
  if (redriven.length + heldBack.length === 0) return [`nothing to do: nothing waits in ${from}`]
  const done = dryRun ? 'would be put back, but this is a dry run' : 'put back'
  return [
    `${countAll(redriven)} of ${from} ${done} into ${to}`,
    ...redriven.map(describeReason),
    ...(heldBack.length > 0
      ? [`${countAll(heldBack)} held back: put back ${maxRedrives} times already, --force does it once more`]
      : []),
    ...heldBack.map(describeReason),
  ]
}

const countAll = (counts: readonly ReasonCount[]) => counts.reduce((sum, { count }) => sum + count, 0)

const describeReason = ({ reason, count, oldest, example }: ReasonCount) =>
  `${String(count).padStart(8)}  since ${oldest.toISOString()}  ${reason}  (such as ${example})`
