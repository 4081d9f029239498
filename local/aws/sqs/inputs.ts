import { z } from 'zod'

import type { AwsError } from '../errors.ts'
import { missingParameter, sqsError } from './errors.ts'
import { messageAttributes } from './message-attributes.ts'

// The members of each call that are read here. Source: the SQS API reference. Others are left alone, as SQS does.
const integer = z.int()
const names = z.array(z.string()).default([])
const attributeValues = z.record(z.string(), z.string())
const queue = z.object({ QueueUrl: z.string() })
const message = z.object({
  MessageBody: z.string(),
  DelaySeconds: integer.optional(),
  MessageAttributes: messageAttributes.default({}),
  // X-Ray's header: the one system attribute that a sender may set, and not built here.
  MessageSystemAttributes: z.record(z.string(), z.never()).optional(),
  MessageGroupId: z.string().optional(),
  MessageDeduplicationId: z.string().optional(),
})
const receipt = z.object({ ReceiptHandle: z.string() })
const visibility = receipt.extend({ VisibilityTimeout: integer })
const entries = <Shape extends z.ZodRawShape>(entry: z.ZodObject<Shape>) =>
  queue.extend({ Entries: z.array(entry.extend({ Id: z.string() })) })

export const createQueueInput = z.object({
  QueueName: z.string(),
  Attributes: attributeValues.default({}),
  tags: z.record(z.string(), z.never()).optional(),
})
export const getQueueUrlInput = z.object({ QueueName: z.string() })
export const listQueuesInput = z.object({
  QueueNamePrefix: z.string().default(''),
  MaxResults: integer.min(1).max(1000).optional(),
  NextToken: z.string().optional(),
})
export const queueInput = queue
export const getAttributesInput = queue.extend({ AttributeNames: names })
export const setAttributesInput = queue.extend({ Attributes: attributeValues })
export const sendInput = queue.extend(message.shape)
export const sendBatchInput = entries(message)
export const receiveInput = queue.extend({
  MaxNumberOfMessages: integer.default(1),
  VisibilityTimeout: integer.optional(),
  WaitTimeSeconds: integer.optional(),
  AttributeNames: names,
  MessageSystemAttributeNames: names,
  MessageAttributeNames: names,
})
export const deleteInput = queue.extend(receipt.shape)
export const deleteBatchInput = entries(receipt)
export const visibilityInput = queue.extend(visibility.shape)
export const visibilityBatchInput = entries(visibility)

export type MessageInput = z.infer<typeof message>

/** @throws AwsError naming the member that is missing or of the wrong type */
export const parseInput = <Output>(schema: z.ZodType<Output>, input: unknown): Output => {
  const parsed = schema.safeParse(input)
  if (!parsed.success) throw refuse(parsed.error)
  return parsed.data
}

const refuse = (error: z.ZodError): AwsError => {
  const [issue] = error.issues
  const path = issue?.path.join('.') ?? ''
  if (issue?.code === 'invalid_type' && issue.message.endsWith('received undefined')) return missingParameter(path)
  return sqsError('SerializationException', `${path}: ${issue?.message ?? 'invalid'}`)
}
