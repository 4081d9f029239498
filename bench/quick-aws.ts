import { hash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

import { listen } from '#shared/runtime/listen.ts'

/** Answers as S3 and SQS do when all is well, after `answerMs`, and counts its calls and the jobs in them. */
export const openQuickAws = async (answerMs: number) => {
  const calls = new Map<string, number>()
  let jobs = 0

  const answerSqs = (action: string, body: string) => {
    const input = JSON.parse(body) as { Entries?: { Id: string }[]; MessageBody?: string } // by the SDK's own protocol
    if (action === 'GetQueueAttributes') return { Attributes: { QueueArn: 'arn:aws:sqs:eu-central-1:0:jobs.fifo' } }
    if (action === 'SendMessage') {
      jobs++
      return { MessageId: 'x', MD5OfMessageBody: hash('md5', input.MessageBody ?? '') }
    }
    const Successful = (input.Entries ?? []).map(({ Id }) => ({ Id, MessageId: 'x' }))
    jobs += Successful.length
    return { Successful }
  }
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await text(request)
    await sleep(answerMs)
    const action = String(request.headers['x-amz-target'] ?? '').replace('AmazonSQS.', '')
    const name = action || (request.method ?? '')
    calls.set(name, (calls.get(name) ?? 0) + 1)
    if (action)
      response.setHeader('content-type', 'application/x-amz-json-1.0').end(JSON.stringify(answerSqs(action, body)))
    else response.setHeader('etag', '"x"').end()
  }
  const server = createServer((request, response) => void answer(request, response))
  const { port } = await listen(server, '127.0.0.1', 0, 'AWS_PORT')
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${port}`, calls, jobs: () => jobs, close }
}

export type QuickAws = Awaited<ReturnType<typeof openQuickAws>>
