import { z, type OpenAPIHono } from '@hono/zod-openapi'

import { purposeNames } from '#shared/domain/purposes.ts'

import { problemTable, type ProblemCode } from './problems.ts'
import { metadataSchema, problemSchema, ticketRequestSchema, ticketSchema } from './schemas.ts'

type Registry = OpenAPIHono['openAPIRegistry']

const tokenProblems = [
  'token_missing',
  'token_invalid',
  'token_expired',
  'subject_not_usable',
  'keys_unavailable',
] as const
const ticketProblems = [
  'request_incomplete',
  'invalid_json',
  'purpose_contradiction',
  'body_too_large',
  'content_type_not_allowed',
  'invalid_request',
] as const
const commonProblems = ['storage_unavailable', 'internal_error'] as const

/** Writes every operation into the OpenAPI document. */
export const describeApi = (registry: Registry) => {
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' })
  describeTickets(registry)
  describeImages(registry)
  describeProbes(registry)
  describeDocuments(registry)
}

const security = [{ bearer: [] }]
const json = <Schema extends z.ZodType>(schema: Schema) => ({ 'application/json': { schema } })
const keyParameter = z.object({
  key: z.string().openapi({ description: 'As the ticket named it; its slashes may be percent-encoded or not.' }),
})

/** Problem answers grouped by status, since one status may have several codes. */
const problems = (codes: readonly ProblemCode[]) =>
  Object.fromEntries(
    [...new Set(codes.map((code) => problemTable[code].status))].map((status) => [
      status,
      {
        description: codes
          .filter((code) => problemTable[code].status === status)
          .map((code) => `\`${code}\`: ${problemTable[code].title}`)
          .join('; '),
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  )

const describeTickets = (registry: Registry) => {
  const answers = {
    200: {
      description: 'A ticket: PUT the file to `upload_url` with `required_headers`.',
      content: json(ticketSchema),
    },
    ...problems([...tokenProblems, ...ticketProblems, ...commonProblems]),
  }
  registry.registerPath({
    method: 'post',
    path: '/images/presigned-url',
    summary: 'Ask for an upload ticket',
    security,
    request: { body: { required: true, content: json(ticketRequestSchema) } },
    responses: answers,
  })
  for (const purpose of purposeNames) {
    registry.registerPath({
      method: 'post',
      path: `/images/presigned-url/${purpose}`,
      summary: `Ask for a ${purpose} ticket`,
      security,
      request: { body: { required: true, content: json(ticketRequestSchema.partial({ purpose: true })) } },
      responses: answers,
    })
  }
}

const describeImages = (registry: Registry) => {
  const failures = problems([...tokenProblems, 'image_not_found', ...commonProblems])
  registry.registerPath({
    method: 'get',
    path: '/images/{key}/metadata',
    summary: 'What is known of an image, and its verdict',
    security,
    request: { params: keyParameter },
    responses: { 200: { description: 'The image is there.', content: json(metadataSchema) }, ...failures },
  })
  registry.registerPath({
    method: 'delete',
    path: '/images/{key}',
    summary: 'Delete an image',
    security,
    request: { params: keyParameter },
    responses: { 204: { description: 'It is gone, or was not there.' }, ...failures },
  })
}

const describeProbes = (registry: Registry) => {
  const status = json(z.object({ status: z.string(), problem: z.string().optional() }))
  registry.registerPath({
    method: 'get',
    path: '/healthz',
    summary: 'Whether the process lives',
    responses: { 200: { description: 'It lives.', content: status } },
  })
  registry.registerPath({
    method: 'get',
    path: '/readyz',
    summary: 'Whether the API can do its work now',
    responses: {
      200: { description: 'It can.', content: status },
      503: { description: 'It waits for what `problem` names.', content: status },
    },
  })
}

const describeDocuments = (registry: Registry) => {
  registry.registerPath({
    method: 'get',
    path: '/openapi.json',
    summary: 'This document',
    responses: { 200: { description: 'In the form of OpenAPI 3.1.', content: json(z.looseObject({})) } },
  })
  registry.registerPath({
    method: 'get',
    path: '/docs',
    summary: 'This document as a page',
    responses: { 200: { description: 'HTML.', content: { 'text/html': { schema: z.string() } } } },
  })
}
