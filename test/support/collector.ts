import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'

import { z } from 'zod'

import { listen } from '#shared/runtime/listen.ts'

const attributeSchema = z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) })
const spanSchema = z.object({
  traceId: z.string(),
  spanId: z.string(),
  parentSpanId: z.string().optional(),
  name: z.string(),
  kind: z.int(),
  startTimeUnixNano: z.string(),
  endTimeUnixNano: z.string(),
  attributes: z.array(attributeSchema).default([]),
  status: z.object({ code: z.int().optional() }).default({}),
})
const requestSchema = z.object({
  resourceSpans: z.array(z.object({ scopeSpans: z.array(z.object({ spans: z.array(spanSchema) })) })),
})

export type CollectedSpan = z.infer<typeof spanSchema>

/** Takes spans as an OpenTelemetry collector does, over HTTP in JSON. */
export const openCollector = async () => {
  const spans: CollectedSpan[] = []
  const server = createServer((request, response) => {
    void json(request).then((body) => {
      const { resourceSpans } = requestSchema.parse(body)
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  const { port } = await listen(server, '127.0.0.1', 0, 'PORT')
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${port}`, spans, close }
}
