import { createRoute, z } from '@hono/zod-openapi'

import { purposeNames, type Purpose } from '#shared/domain/purposes.ts'

import * as examples from './examples.ts'
import { commonCodes, etag, json, problems, ticketCodes, userCodes, userHeaders } from './route-answers.ts'
import { metadataSchema, ticketRequestSchema, ticketRequestSchemaOf, ticketSchema } from './schemas.ts'

const security = [{ bearer: [] }]
const traceHeaders = z.object({
  traceparent: z.string().optional().openapi({
    description: 'W3C trace context: stored with the object, and carried by its events and its job.',
    example: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  }),
})
const ticketAnswer = {
  description: 'A ticket: PUT the file to `upload_url` with `required_headers`.',
  headers: userHeaders,
  content: json(ticketSchema, { scan: { value: examples.ticket } }),
}
const allTicketCodes = [...userCodes, ...ticketCodes, ...commonCodes]

export const ticketRoute = createRoute({
  method: 'post',
  path: '/images/presigned-url',
  operationId: 'issueTicket',
  tags: ['images'],
  summary: 'Ask for an upload ticket',
  security,
  request: {
    headers: traceHeaders,
    body: { required: true, content: json(ticketRequestSchema, examples.ticketRequests) },
  },
  responses: { 200: ticketAnswer, ...problems(allTicketCodes, userHeaders) },
})

const describePurposeTicket = <P extends Purpose>(purpose: P) =>
  createRoute({
    method: 'post',
    path: `/images/presigned-url/${purpose}`,
    operationId: `issue_${purpose}_ticket`,
    tags: ['images'],
    summary: `Ask for a ${purpose} ticket`,
    security,
    request: {
      headers: traceHeaders,
      body: {
        required: true,
        content: json(
          ticketRequestSchemaOf(purpose).extend({ purpose: z.literal(purpose).optional() }),
          examples.purposeTicketRequests,
        ),
      },
    },
    responses: { 200: ticketAnswer, ...problems([...allTicketCodes, 'purpose_contradiction'], userHeaders) },
  })

const keyParameter = z.object({
  key: z.string().openapi({
    description: 'As the ticket named it; its slashes may be percent-encoded or not.',
    example: examples.exampleKey,
  }),
})
const imageProblems = problems([...userCodes, 'image_not_found', ...commonCodes], userHeaders)

export const metadataRoute = createRoute({
  method: 'get',
  path: '/images/{key}/metadata',
  operationId: 'readMetadata',
  tags: ['images'],
  summary: 'What is known of an image, and its verdict',
  security,
  request: {
    params: keyParameter,
    headers: z.object({
      'if-none-match': z.string().optional().openapi({ description: 'The ETag of an earlier answer.' }),
    }),
  },
  responses: {
    200: {
      description: 'The image is there.',
      headers: { ...userHeaders, ETag: etag },
      content: json(metadataSchema, {
        accepted: { value: examples.metadata },
        rejected: { value: examples.rejectedMetadata },
      }),
    },
    304: {
      description: 'Nothing has changed since the answer with that ETag.',
      headers: { ...userHeaders, ETag: etag },
    },
    ...imageProblems,
  },
})

export const deleteRoute = createRoute({
  method: 'delete',
  path: '/images/{key}',
  operationId: 'deleteImage',
  tags: ['images'],
  summary: 'Delete an image',
  security,
  request: { params: keyParameter },
  responses: { 204: { description: 'It is gone, or was not there.', headers: userHeaders }, ...imageProblems },
})

export const purposeTicketRoutes = purposeNames.map(describePurposeTicket)
