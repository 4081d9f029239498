import {
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api'

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
