import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { after, before, test } from 'node:test'

import { openCollector, type CollectedSpan } from '../support/collector.ts'
import { tokenOf, type Ticket } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { goodPhoto } from '../support/images.ts'
import { startSystem, temporaryDirectory, type RunningSystem } from '../support/local-system.ts'
import { readEvents, receiveJobs } from '../support/outside.ts'

const directory = temporaryDirectory()
let collector: Awaited<ReturnType<typeof openCollector>>
let running: RunningSystem

before(async () => {
  collector = await openCollector()
  running = await startSystem(directory.path, {
    NODE_OPTIONS: `--import ${resolve('examples/tracing.ts')}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_NODE_RESOURCE_DETECTORS: 'env',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  })
})
after(async () => {
  await running.end('SIGTERM')
  collector.close()
  directory.remove()
})

/** Uploads a scan as a client would; `headers` go with the ticket's request. */
const upload = async (headers: Record<string, string>): Promise<Ticket> => {
  const body = await goodPhoto('image/jpeg', { width: 64, height: 48 })
  const { api_url } = running.system
  const asked = await fetch(`${api_url}/images/presigned-url/scan`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${await tokenOf('user-1')}`, ...headers },
    body: JSON.stringify({ content_type: 'image/jpeg', content_length: body.length }),
  })
  assert.equal(asked.status, 200)
  const ticket = (await asked.json()) as Ticket // the API's own tests check this shape
  const put = await fetch(ticket.upload_url, { method: 'PUT', headers: ticket.required_headers, body })
  assert.equal(put.status, 200, await put.text())
  return ticket
}

const traceOf = (traceId: string) =>
  eventually(
    () => {
      const spans = collector.spans.filter((span) => span.traceId === traceId)
      return spans.some(({ name }) => name === 'process image.uploaded') ? spans : undefined
    },
    'the last span of the trace arrives',
    15_000,
  )

/** Every span's name under that of the work that asked for it. */
const treeOf = (spans: readonly CollectedSpan[]) => {
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]))
  return Object.fromEntries(spans.map(({ name, parentSpanId = '' }) => [name, names.get(parentSpanId) ?? parentSpanId]))
}

const steps = {
  'process image-uploads': 'POST /images/presigned-url',
  'publish image.uploaded': 'process image-uploads',
  'process image.uploaded': 'publish image.uploaded',
  'send vision-analysis-jobs.fifo': 'process image.uploaded',
}

const attributesOf = ({ attributes }: CollectedSpan): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

/** OTLP's numbers. */
const kinds = { send: 4, process: 5 } as const

/** Source: OpenTelemetry semantic conventions for messaging spans: name, kind, and the attributes that are required. */
const checkMessaging = (span: CollectedSpan) => {
  const found = attributesOf(span)
  const [operation, destination] = span.name.split(' ')
  assert.partialDeepStrictEqual(found, {
    'messaging.operation.name': operation,
    'messaging.destination.name': destination,
    'messaging.system': destination?.startsWith('image.') ? 'kafka' : 'aws_sqs',
  })
  const type = found['messaging.operation.type']
  assert.ok(type === 'send' || type === 'process', span.name)
  assert.equal(span.kind, kinds[type], span.name)
  assert.equal(type, operation === 'process' ? 'process' : 'send')
}

test('the spans of one upload are one tree under its client, from ticket to job', async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const ticket = await upload({ traceparent: `00-${traceId}-b7ad6b7169203331-01` })
  const spans = await traceOf(traceId)
  assert.deepEqual(treeOf(spans), { 'POST /images/presigned-url': 'b7ad6b7169203331', ...steps })
  assert.equal(spans.length, 5)
  assert.ok(spans.every(({ status }) => (status.code ?? 0) === 0))

  const idOf = (name: string) => spans.find((span) => span.name === name)?.spanId
  const [job] = await receiveJobs(running.system)
  assert.equal(job?.traceparent, `00-${traceId}-${idOf('send vision-analysis-jobs.fifo')}-01`)
  const uploaded = (await readEvents(running.system)).find(({ type }) => type === 'image.uploaded')
  assert.equal(uploaded?.traceparent, `00-${traceId}-${idOf('publish image.uploaded')}-01`)

  const [request, ...others] = spans.toSorted((one, other) => Number(other.kind === 2) - Number(one.kind === 2))
  assert.ok(request)
  others.forEach(checkMessaging)
  assert.partialDeepStrictEqual(attributesOf(request), {
    'http.request.method': 'POST',
    'http.route': '/images/presigned-url',
    'http.response.status_code': 200,
  })
  const find = (name: string) => attributesOf(spans.find((span) => span.name === name) ?? assert.fail(name))
  assert.equal(find('process image-uploads')['image_intake.key'], ticket.key)
  assert.equal(find('publish image.uploaded')['messaging.message.id'], uploaded.id)
  assert.equal(find('send vision-analysis-jobs.fifo')['messaging.message.id'], ticket.job_id)
})

test('a client without a trace gets one, which its upload carries', async () => {
  const ticket = await upload({})
  const traceId = ticket.required_headers['x-amz-meta-traceparent']?.split('-')[1] ?? ''
  const tree = treeOf(await traceOf(traceId))
  assert.deepEqual(tree, { 'POST /images/presigned-url': '', ...steps })
})
