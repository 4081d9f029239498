import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'

import type { SQSClient } from '@aws-sdk/client-sqs'
import { z } from 'zod'

import { listenOnLoopback } from '../../../../local/aws/server.ts'
import { openClients } from '../aws/local.ts'

export type SqsCall = {
  action: string
  input: Record<string, unknown>
  entries: { Id: string; [name: string]: unknown }[]
}
export type SqsAnswer = { status?: number; body: unknown }

const inputSchema = z.record(z.string(), z.unknown())
const entriesSchema = z.array(z.looseObject({ Id: z.string() })).default([])

/** Every entry is done. */
export const allDone = ({ entries }: SqsCall): SqsAnswer => ({
  body: { Successful: entries.map(({ Id }) => ({ Id })), Failed: [] },
})

export const sqsError = (code: string, status = 400): SqsAnswer => ({
  status,
  body: { __type: `com.amazonaws.sqs#${code}`, message: 'so it was' },
})

/** An SQS that says what the test wants, and what it was asked. A body that is a string is sent as it is. */
export const openScriptedSqs = async (
  context: TestContext,
  answer: (call: SqsCall, count: number) => SqsAnswer | Promise<SqsAnswer>,
): Promise<{ client: SQSClient; queueUrl: string; calls: SqsCall[] }> => {
  const calls: SqsCall[] = []
  const server = await listenOnLoopback((request, response) => {
    const reply = async () => {
      const input = inputSchema.parse(JSON.parse(await text(request)))
      const action = String(request.headers['x-amz-target']).replace('AmazonSQS.', '')
      const call = { action, input, entries: entriesSchema.parse(input['Entries']) }
      calls.push(call)
      const { status = 200, body } = await answer(call, calls.length)
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' })
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    }
    void reply()
  }, 0)
  const { sqs, close } = openClients(server.url)
  context.after(async () => {
    close()
    await server.close()
  })
  return { client: sqs, queueUrl: `${server.url}/000000000000/uploads`, calls }
}
