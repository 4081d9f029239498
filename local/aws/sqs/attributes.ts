import { z } from 'zod'

import { invalidParameter, sqsError } from './errors.ts'

/** A queue's settable attributes as SQS writes them: all values are strings. */
export type QueueAttributes = Readonly<Record<string, string>>

export type RedrivePolicy = { deadLetterQueue: string; maxReceiveCount: number }

/** The largest message, and the largest batch, with its attributes. Source: AWS, SQS quotas (August 2025). */
export const maxMessageBytes = 1_048_576

type Rule = { initial?: string; fifoOnly?: boolean; isValid: (value: string) => boolean }

const between = (min: number, max: number) => (value: string) =>
  /^\d{1,9}$/.test(value) && Number(value) >= min && Number(value) <= max
const oneOf = (...values: string[]) => ({ isValid: (value: string) => values.includes(value) })
const isJson = (value: string): boolean => {
  try {
    return value === '' || typeof JSON.parse(value) === 'object'
  } catch {
    return false
  }
}

const rules: Readonly<Record<string, Rule>> = {
  VisibilityTimeout: { initial: '30', isValid: between(0, 43_200) },
  MessageRetentionPeriod: { initial: '345600', isValid: between(60, 1_209_600) },
  DelaySeconds: { initial: '0', isValid: between(0, 900) },
  ReceiveMessageWaitTimeSeconds: { initial: '0', isValid: between(0, 20) },
  MaximumMessageSize: { initial: String(maxMessageBytes), isValid: between(1024, maxMessageBytes) },
  SqsManagedSseEnabled: { initial: 'true', ...oneOf('true', 'false') },
  Policy: { isValid: isJson },
  RedrivePolicy: { isValid: isJson },
  RedriveAllowPolicy: { isValid: isJson },
  FifoQueue: { fifoOnly: true, ...oneOf('true') },
  ContentBasedDeduplication: { initial: 'false', fifoOnly: true, ...oneOf('true', 'false') },
  DeduplicationScope: { initial: 'queue', fifoOnly: true, ...oneOf('queue', 'messageGroup') },
  FifoThroughputLimit: { initial: 'perQueue', fifoOnly: true, ...oneOf('perQueue', 'perMessageGroupId') },
}

/** @throws AwsError when a name is unknown, a value is out of range, or it is not for this type of queue */
export const checkAttributes = (attributes: QueueAttributes, isFifo: boolean): void => {
  for (const [name, value] of Object.entries(attributes)) {
    const rule = rules[name]
    if (!rule || (rule.fifoOnly && !isFifo)) throw sqsError('InvalidAttributeName', `Unknown Attribute ${name}.`)
    if (!rule.isValid(value)) throw sqsError('InvalidAttributeValue', `Invalid value for the parameter ${name}.`)
  }
}

/** The attributes that a queue has when nothing is said. */
export const initialAttributes = (isFifo: boolean): QueueAttributes =>
  Object.fromEntries(
    Object.entries(rules).flatMap(([name, { initial, fifoOnly }]) =>
      initial === undefined || (fifoOnly && !isFifo) ? [] : [[name, initial]],
    ),
  )

export const withoutEmpty = (attributes: QueueAttributes): QueueAttributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ''))

export const numberAttribute = (attributes: QueueAttributes, name: string): number => Number(attributes[name] ?? '0')

const redrivePolicy = z.object({
  deadLetterTargetArn: z.string(),
  maxReceiveCount: z.coerce.number().int().min(1).max(1000),
})

/** Undefined when the queue has none. @throws AwsError when it can't be read */
export const parseRedrivePolicy = (attributes: QueueAttributes): RedrivePolicy | undefined => {
  const text = attributes['RedrivePolicy']
  if (!text) return undefined
  const parsed = redrivePolicy.safeParse(JSON.parse(text))
  const deadLetterQueue = parsed.data?.deadLetterTargetArn.split(':')[5]
  if (!parsed.success || !deadLetterQueue)
    throw invalidParameter(
      `Value ${text} for parameter RedrivePolicy is invalid. Reason: it must hold deadLetterTargetArn and maxReceiveCount (1 to 1000).`,
    )
  return { deadLetterQueue, maxReceiveCount: parsed.data.maxReceiveCount }
}
