import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { OutageError } from '#shared/ports/failures.ts'

import { listenOnLoopback } from '../../local/aws/server.ts'
import { eventsDoor, eventsMount } from '../../local/events-door.ts'
import { fakeEventLog } from '../support/fakes/event-log.ts'

const event = {
  specversion: '1.0',
  id: 'a'.repeat(32),
  source: 'urn:image-intake:vision-worker',
  type: 'scan.analyzed',
  subject: 'scans/20250101/u/0',
  time: '2025-01-01T00:00:00.000Z',
  datacontenttype: 'application/json',
  data: {
    ...{ job_id: 'b'.repeat(32), key: 'scans/20250101/u/0', user_id: 'u', event_id: 'c'.repeat(32) },
    ...{ model: 'm', result: { answer: 1 } },
  },
}
const headers = { 'content-type': 'application/cloudevents+json' }

const open = async (context: TestContext) => {
  const events = fakeEventLog()
  const server = await listenOnLoopback(eventsDoor(events.log), 0)
  context.after(server.close)
  const post = (body: string, init: RequestInit = {}, path = eventsMount) =>
    fetch(`${server.url}${path}`, { method: 'POST', headers, body, ...init })
  return { events, post }
}

test('a result of a worker is put into the log, keyed by its image', async (context) => {
  const { events, post } = await open(context)
  assert.equal((await post(JSON.stringify(event))).status, 204)
  const [record, ...others] = events.records
  assert.deepEqual(others, [])
  assert.deepEqual(
    [record?.topic, record?.key, record && JSON.parse(record.value)],
    ['scan.analyzed', event.subject, event],
  )
})

test('nothing else is taken, and the answer says why', async (context) => {
  const { events, post } = await open(context)
  const text = JSON.stringify(event)
  const answers: [string, Promise<Response>, number, RegExp][] = [
    ['no JSON', post('{'), 400, /no scan\.analyzed event/],
    ['another event', post(JSON.stringify({ ...event, type: 'image.uploaded' })), 400, /type: /],
    ['no job', post(JSON.stringify({ ...event, data: {} })), 400, /data\.job_id: /],
    ['another type of content', post(text, { headers: { 'content-type': 'text/plain' } }), 415, /cloudevents\+json/],
    ['a web page', post(text, { headers: { ...headers, origin: 'http://localhost:3000' } }), 403, /this machine/],
    ['another path', post(text, {}, `${eventsMount}/x`), 404, /there is \/_events here/],
    ['another method', post(text, { method: 'PUT' }), 405, /POST/],
    ['too much', post(JSON.stringify({ ...event, more: 'x'.repeat(300_000) })), 413, /at most 262144 bytes/],
  ]
  for (const [what, answering, status, error] of answers) {
    const answer = await answering
    assert.equal(answer.status, status, what)
    assert.match(await answer.text(), error, what)
  }
  assert.deepEqual(events.records, [])
})

test('a log that is away is told, so that the worker comes again', async (context) => {
  const { events, post } = await open(context)
  events.faults.fail('append', new OutageError('the event log', 'a test'))
  const answer = await post(JSON.stringify(event))
  assert.deepEqual([answer.status, await answer.json()], [503, { error: 'OutageError: the event log is away: a test' }])
})
