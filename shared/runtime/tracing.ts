import {
  isSpanContextValid,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api'

import { pause } from './backoff.ts'
import { messageOf } from './message-of.ts'

export type TraceOptions = {
  kind: 'server' | 'consumer' | 'producer' | 'client'
  /** W3C trace context of what asked for the work; a span without one begins a trace. */
  parent: string | undefined
  /** By OpenTelemetry's semantic conventions. */
  attributes?: Attributes
  /** Milliseconds since 1970; now, when not said. */
  startMs?: number
}

/** Work that is being done: its own trace context, for whoever it asks in turn, and its end. */
export type TracedWork = {
  /** Without an SDK in the process it is the parent's. */
  traceparent: string | undefined
  end: (outcome?: { attributes?: Attributes; error?: string }) => void
}

const kinds = {
  server: SpanKind.SERVER,
  consumer: SpanKind.CONSUMER,
  producer: SpanKind.PRODUCER,
  client: SpanKind.CLIENT,
} as const

/** Finds whichever SDK registers itself, also later; without one nothing is recorded and parents are passed through. */
const tracer = trace.getTracer('image-intake')

/** Begins a span. Names are few: what varies stands in attributes. */
export const traceWork = (name: string, { kind, parent, attributes, startMs }: TraceOptions): TracedWork => {
  if (findProvider() === noProvider) return { traceparent: parent, end: recordNothing }
  const options = { kind: kinds[kind], ...(attributes && { attributes }), ...(startMs && { startTime: startMs }) }
  const span = tracer.startSpan(name, options, contextOf(parent))
  return {
    traceparent: writeTraceparent(span),
    end: ({ attributes: found, error } = {}) => {
      if (found) span.setAttributes(found)
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error })
      span.end()
    },
  }
}

const recordNothing = () => undefined

/** Does the work within its span, which ends with it, well or not. */
export const traced = async <T>(work: TracedWork, run: () => Promise<T>): Promise<T> => {
  try {
    const result = await run()
    work.end()
    return result
  } catch (error) {
    work.end({ error: messageOf(error) })
    throw error
  }
}

/** A message or event as it goes on from here, under the context of the work that sends it. */
export const withTrace = <T extends { traceparent?: string | undefined }>(sent: T, { traceparent }: TracedWork): T =>
  traceparent === undefined || traceparent === sent.traceparent ? sent : { ...sent, traceparent }

/** Source: OpenTelemetry semantic conventions for messaging. An embedded event log stands for Kafka. */
export const messaging = {
  publish: (topic: string, id: string): Attributes => ({
    'messaging.system': 'kafka',
    'messaging.operation.type': 'send',
    'messaging.operation.name': 'publish',
    'messaging.destination.name': topic,
    'messaging.message.id': id,
  }),
  send: (queue: string, id: string): Attributes => ({
    'messaging.system': 'aws_sqs',
    'messaging.operation.type': 'send',
    'messaging.operation.name': 'send',
    'messaging.destination.name': queue,
    'messaging.message.id': id,
  }),
  process: (system: 'aws_sqs' | 'kafka', source: string, key: string): Attributes => ({
    'messaging.system': system,
    'messaging.operation.type': 'process',
    'messaging.operation.name': 'process',
    'messaging.destination.name': source,
    'image_intake.key': key,
  }),
} as const

const contextOf = (traceparent: string | undefined): Context => {
  const [, traceId, spanId, flags] = traceparent?.split('-') ?? []
  if (!traceId || !spanId || !flags) return ROOT_CONTEXT
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true })
}

/** Source: W3C Trace Context, version 00. */
const writeTraceparent = (span: Span): string | undefined => {
  const spanContext = span.spanContext()
  if (!isSpanContextValid(spanContext)) return undefined
  return `00-${spanContext.traceId}-${spanContext.spanId}-${spanContext.traceFlags.toString(16).padStart(2, '0')}`
}

/** The trace's id, for log lines. */
export const traceIdOf = (traceparent: string | undefined): string | undefined => traceparent?.slice(3, 35)

const flushLimitMs = 2_000

/** Sends what an SDK still holds, before the process ends; not for longer than 2 s, and a failure of it is nobody's. */
export const flushTraces = async (): Promise<void> => {
  const provider = findProvider()
  if (!canFlush(provider)) return
  const over = new AbortController()
  await Promise.race([provider.forceFlush().catch(() => undefined), pause(flushLimitMs, over.signal)])
  over.abort()
}

/** What was registered, which may be at any time; until then `noProvider`. */
const findProvider = (): object => {
  const provider = trace.getTracerProvider()
  return standsForAnother(provider) ? provider.getDelegate() : provider
}

/** What the API makes do with: it gives spans that record nothing, whose context costs as much as a real one's. */
// eslint-disable-next-line @typescript-eslint/no-deprecated -- goes with the proxies, in the next major version: see below
const noProvider: object = new ProxyTracerProvider().getDelegate()

/** Until the next major version the API answers with a proxy of what was registered. */
const standsForAnother = (provider: object): provider is { getDelegate: () => object } => 'getDelegate' in provider

/** The API's own provider has no such method, all SDKs have. */
const canFlush = (provider: object): provider is { forceFlush: () => Promise<unknown> } => 'forceFlush' in provider
