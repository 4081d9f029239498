import type { Database } from '../database.ts'
import {
  checkAttributes,
  initialAttributes,
  parseRedrivePolicy,
  type QueueAttributes,
  type RedrivePolicy,
  withoutEmpty,
} from './attributes.ts'
import { invalidParameter, sqsError } from './errors.ts'

export const accountId = '000000000000'

export type Queue = {
  name: string
  arn: string
  isFifo: boolean
  attributes: QueueAttributes
  redrive: RedrivePolicy | undefined
  createdMs: number
  modifiedMs: number
}

export type Queues = {
  create: (name: string, attributes: QueueAttributes) => void
  find: (name: string) => Queue | undefined
  names: (prefix: string) => string[]
  /** Sets the attributes given and keeps the others. */
  change: (queue: Queue, attributes: QueueAttributes) => void
  remove: (queue: Queue) => void
  purge: (queue: Queue) => void
  /** The names of the queues whose dead letters go to this one. */
  deadLetterSources: (queue: Queue) => string[]
}

type Row = { name: string; attributes: string; created_ms: number; modified_ms: number }

export const openQueues = (database: Database, region: string, now: () => number): Queues => {
  const select = database.prepare<Row>('SELECT * FROM queues WHERE name = ?')
  const selectAll = database.prepare<Row>('SELECT * FROM queues ORDER BY name')
  const insert = database.prepare('INSERT INTO queues (name, attributes, created_ms, modified_ms) VALUES (?, ?, ?, ?)')
  const update = database.prepare('UPDATE queues SET attributes = ?, modified_ms = ? WHERE name = ?')
  const removals = ['queues WHERE name', 'messages WHERE queue', 'deduplication WHERE queue'].map((rest) =>
    database.prepare(`DELETE FROM ${rest} = ?`),
  )
  const arnOf = (name: string) => `arn:aws:sqs:${region}:${accountId}:${name}`

  const parseRow = (row: Row): Queue => {
    // Written by this file alone, from attributes that were checked.
    const attributes = JSON.parse(row.attributes) as QueueAttributes
    return {
      name: row.name,
      arn: arnOf(row.name),
      isFifo: row.name.endsWith('.fifo'),
      attributes,
      redrive: parseRedrivePolicy(attributes),
      createdMs: row.created_ms,
      modifiedMs: row.modified_ms,
    }
  }
  const find = (name: string): Queue | undefined => {
    const row = select.get(name)
    return row && parseRow(row)
  }
  const checkRedrive = (attributes: QueueAttributes, isFifo: boolean): void => {
    const redrive = parseRedrivePolicy(attributes)
    if (!redrive) return
    const target = find(redrive.deadLetterQueue)
    const invalid = (reason: string) =>
      invalidParameter(
        `Value ${attributes['RedrivePolicy'] ?? ''} for parameter RedrivePolicy is invalid. Reason: ${reason}`,
      )
    if (!target) throw invalid('Dead letter target does not exist.')
    if (target.isFifo !== isFifo) throw invalid('Dead-letter queue must be same type of queue as the source.')
  }

  return {
    create: (name, attributes) => {
      const isFifo = checkName(name, attributes)
      checkAttributes(attributes, isFifo)
      checkRedrive(attributes, isFifo)
      const existing = find(name)
      if (existing) {
        checkSame(existing.attributes, attributes)
        return
      }
      const all = withoutEmpty({ ...initialAttributes(isFifo), ...attributes })
      insert.run(name, JSON.stringify(all), now(), now())
    },
    find,
    names: (prefix) => selectAll.all().flatMap(({ name }) => (name.startsWith(prefix) ? [name] : [])),
    change: (queue, attributes) => {
      if ('FifoQueue' in attributes) throw sqsError('InvalidAttributeName', 'Unknown Attribute FifoQueue.')
      checkAttributes(attributes, queue.isFifo)
      checkRedrive(attributes, queue.isFifo)
      update.run(JSON.stringify(withoutEmpty({ ...queue.attributes, ...attributes })), now(), queue.name)
    },
    remove: ({ name }) => database.transaction(() => removals.forEach((removal) => removal.run(name))),
    purge: ({ name }) => void removals[1]?.run(name),
    deadLetterSources: ({ name }) =>
      selectAll
        .all()
        .map(parseRow)
        .flatMap((queue) => (queue.redrive?.deadLetterQueue === name ? [queue.name] : [])),
  }
}

/** True for a FIFO queue. @throws AwsError when the name is not one, or contradicts FifoQueue */
const checkName = (name: string, attributes: QueueAttributes): boolean => {
  const isFifo = attributes['FifoQueue'] === 'true'
  if (isFifo && !/^[\w-]{1,75}\.fifo$/.test(name))
    throw invalidParameter(
      'The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.',
    )
  if (!isFifo && !/^[\w-]{1,80}$/.test(name))
    throw invalidParameter('Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length')
  return isFifo
}

const checkSame = (existing: QueueAttributes, wanted: QueueAttributes): void => {
  const other = Object.keys(wanted).find((name) => (existing[name] ?? '') !== wanted[name])
  if (other !== undefined)
    throw sqsError(
      'QueueNameExists',
      `A queue already exists with the same name and a different value for attribute ${other}`,
    )
}
