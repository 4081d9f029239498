import { hash } from 'node:crypto'

import type { SQSClient } from '@aws-sdk/client-sqs'

import { signedCaller } from '../aws/signed-calls.ts'
import { findQueueTarget } from '../aws/target.ts'

/** The actions that every message needs. */
export type QueueAction = 'ReceiveMessage' | 'DeleteMessageBatch' | 'ChangeMessageVisibilityBatch' | 'SendMessageBatch'

/** Resolves with the answer's JSON, of which nothing is checked yet. */
export type QueueCaller = (action: QueueAction, input: object, signal?: AbortSignal) => Promise<unknown>

/** Ten messages of 1 MiB; JSON may write one character as six. */
const maxAnswerBytes = 10 * 6 * 1_048_576

/** The hot calls on one queue, in SQS's JSON protocol. */
export const openQueueCalls = (client: SQSClient, queueUrl: string): QueueCaller => {
  const call = signedCaller('SQS', client, () => findQueueTarget(client, queueUrl))

  return async (action, input, signal) => {
    const body = JSON.stringify({ QueueUrl: queueUrl, ...input })
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': `AmazonSQS.${action}` }
    const payloadHash = hash('sha256', body)
    const answer = await call({ method: 'POST', headers, payloadHash, body, maxBytes: maxAnswerBytes, signal })
    const text = answer.body.toString('utf8')
    // Some services answer a call that has nothing to say with nothing.
    return text === '' ? {} : (JSON.parse(text) as unknown)
  }
}
