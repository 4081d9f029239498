import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'

import { SpanKind, trace } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

import { traceIdOf, traceWork } from '#shared/runtime/tracing.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parent = `00-${traceId}-b7ad6b7169203331-01`

test('without an SDK a parent is passed through as it is, and without a parent there is no trace', () => {
  for (const given of [parent, `00-${traceId}-b7ad6b7169203331-00`, undefined]) {
    const work = traceWork('work', { kind: 'server', parent: given })
    assert.equal(work.traceparent, given)
    work.end({ error: 'is not recorded' })
  }
})

test('a trace is named by the 32 digits of its id', () => {
  assert.deepEqual([traceIdOf(parent), traceIdOf(undefined)], [traceId, undefined])
})

suite('with an SDK', () => {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  before(() => assert.ok(trace.setGlobalTracerProvider(provider)))
  after(() => trace.disable())

  test('work is a span under its parent, and its own context the parent of what it asks for', () => {
    const outer = traceWork('outer', { kind: 'server', parent, attributes: { 'http.route': '/x' }, startMs: 1_000 })
    const inner = traceWork('inner', { kind: 'producer', parent: outer.traceparent })
    inner.end()
    outer.end({ attributes: { 'http.response.status_code': 503 }, error: 'S3 is away' })
    const [second, first] = exporter.getFinishedSpans()
    assert.ok(first && second)
    assert.equal(outer.traceparent, `00-${traceId}-${first.spanContext().spanId}-01`)
    assert.equal(first.parentSpanContext?.spanId, 'b7ad6b7169203331')
    assert.equal(second.parentSpanContext?.spanId, first.spanContext().spanId)
    assert.deepEqual([first.kind, second.kind], [SpanKind.SERVER, SpanKind.PRODUCER])
    assert.deepEqual(first.attributes, { 'http.route': '/x', 'http.response.status_code': 503 })
    assert.deepEqual([first.startTime, first.status], [[1, 0], { code: 2, message: 'S3 is away' }])
  })

  test('work without a parent begins a trace, and an unsampled parent stays unsampled', () => {
    exporter.reset()
    const begun = traceWork('begun', { kind: 'server', parent: undefined })
    assert.match(begun.traceparent ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
    const unsampled = traceWork('unsampled', { kind: 'server', parent: `00-${traceId}-b7ad6b7169203331-00` })
    assert.match(unsampled.traceparent ?? '', new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`))
    begun.end()
    unsampled.end()
    assert.deepEqual(
      exporter.getFinishedSpans().map(({ name }) => name),
      ['begun'],
    )
  })
})
