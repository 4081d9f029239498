import { randomUUID } from 'node:crypto'

import type { QueueTarget } from '../sqs/service.ts'
import { invalidArgument } from './errors.ts'
import { childrenOf, element, malformed, textOf, type Xml, type XmlElement } from './xml.ts'

/** One QueueConfiguration of a bucket. */
export type NotificationRule = {
  id: string
  queueArn: string
  events: readonly string[]
  prefix: string
  suffix: string
}

const supportedEvents = [
  ...['*', 'Put', 'Post', 'Copy', 'CompleteMultipartUpload'].map((kind) => `s3:ObjectCreated:${kind}`),
  ...['*', 'Delete', 'DeleteMarkerCreated'].flatMap((kind) => [
    `s3:ObjectRemoved:${kind}`,
    `s3:LifecycleExpiration:${kind}`,
  ]),
]

/** Does this rule tell of an event of that kind (`ObjectCreated:Put`) on that key? */
export const ruleMatches = (rule: NotificationRule, kind: string, key: string): boolean =>
  rule.events.some((event) => eventsMeet(event, `s3:${kind}`)) &&
  key.startsWith(rule.prefix) &&
  key.endsWith(rule.suffix)

/**
 * Reads a NotificationConfiguration to queues.
 * @throws AwsError InvalidArgument as S3 refuses it: unknown event, unknown or FIFO queue, overlapping rules
 */
export const parseNotifications = (
  root: XmlElement,
  target: (arn: string) => QueueTarget | undefined,
): NotificationRule[] => {
  const other = root.children.find(({ name }) => name !== 'QueueConfiguration')
  if (other) throw malformed(`${other.name} is not implemented by this local service, only QueueConfiguration is`)
  const rules = root.children.map(parseRule)
  rules.forEach((rule, index) => {
    const overlapping = rules.slice(0, index).some((earlier) => rulesOverlap(earlier, rule))
    if (overlapping)
      throw invalidArgument(
        'Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.',
        'Event',
        rule.events.join(', '),
      )
  })
  for (const { queueArn } of rules) checkTarget(queueArn, target(queueArn))
  return rules
}

export const renderNotifications = (rules: readonly NotificationRule[]): Xml[] =>
  rules.map(({ id, queueArn, events, prefix, suffix }) =>
    element('QueueConfiguration', [
      element('Id', id),
      element('Queue', queueArn),
      ...events.map((event) => element('Event', event)),
      ...renderFilter({ Prefix: prefix, Suffix: suffix }),
    ]),
  )

const renderFilter = (filter: Record<string, string>): Xml[] => {
  const rules = Object.entries(filter).filter(([, value]) => value !== '')
  if (rules.length === 0) return []
  const elements = rules.map(([name, value]) => element('FilterRule', [element('Name', name), element('Value', value)]))
  return [element('Filter', [element('S3Key', elements)])]
}

const parseRule = (configuration: XmlElement): NotificationRule => {
  const events = childrenOf(configuration, 'Event').map(({ text }) => text)
  const queueArn = textOf(configuration, 'Queue')
  if (!queueArn || events.length === 0) throw malformed()
  const unsupported = events.find((event) => !supportedEvents.includes(event))
  if (unsupported !== undefined)
    throw invalidArgument(`The event '${unsupported}' is not supported for notifications`, 'Event', unsupported)
  return { id: textOf(configuration, 'Id') || randomUUID(), queueArn, events, ...parseFilter(configuration) }
}

const parseFilter = (configuration: XmlElement): { prefix: string; suffix: string } => {
  const filter = { prefix: '', suffix: '' }
  const seen = new Set<string>()
  const rules = childrenOf(configuration, 'Filter')
    .flatMap(({ children }) => children)
    .flatMap(({ children }) => children)
  for (const rule of rules) {
    const name = textOf(rule, 'Name')?.toLowerCase() ?? ''
    if (name !== 'prefix' && name !== 'suffix')
      throw invalidArgument('filter rule name must be either prefix or suffix', 'FilterRule.Name', name)
    if (seen.has(name))
      throw invalidArgument(`Cannot specify more than one ${name} rule in a filter.`, 'FilterRule.Name', name)
    seen.add(name)
    filter[name] = textOf(rule, 'Value') ?? ''
  }
  return filter
}

const rulesOverlap = (a: NotificationRule, b: NotificationRule): boolean =>
  a.events.some((eventA) => b.events.some((eventB) => eventsMeet(eventA, eventB))) &&
  (a.prefix.startsWith(b.prefix) || b.prefix.startsWith(a.prefix)) &&
  (a.suffix.endsWith(b.suffix) || b.suffix.endsWith(a.suffix))

const eventsMeet = (a: string, b: string): boolean => {
  const [stemA, stemB] = [a, b].map((event) => event.replace(/\*$/, ''))
  if (stemA === undefined || stemB === undefined) return false
  return a === b || (a !== stemA && b.startsWith(stemA)) || (b !== stemB && a.startsWith(stemB))
}

const checkTarget = (arn: string, target: QueueTarget | undefined): void => {
  if (target && !target.isFifo) return
  const reason = target ? 'FIFO queues are not supported as a destination' : 'The destination queue does not exist'
  throw invalidArgument('Unable to validate the following destination configurations', arn, reason)
}
