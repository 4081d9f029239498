import { createRoute, z } from '@hono/zod-openapi'

import { commonCodes, everyHeader, json, problems, retryAfter } from './route-answers.ts'

const statusSchema = z.object({ status: z.enum(['ok', 'ready', 'waiting']), problem: z.string().optional() })
const plainProblems = problems(commonCodes, everyHeader)

export const livenessRoute = createRoute({
  method: 'get',
  path: '/healthz',
  operationId: 'liveness',
  tags: ['service'],
  summary: 'Whether the process lives',
  responses: {
    200: {
      description: 'It lives.',
      headers: everyHeader,
      content: json(statusSchema, { ok: { value: { status: 'ok' } } }),
    },
    ...plainProblems,
  },
})

export const readinessRoute = createRoute({
  method: 'get',
  path: '/readyz',
  operationId: 'readiness',
  tags: ['service'],
  summary: 'Whether the API can do its work now',
  responses: {
    ...plainProblems,
    200: {
      description: 'It can.',
      headers: everyHeader,
      content: json(statusSchema, { ready: { value: { status: 'ready' } } }),
    },
    503: {
      description: 'It waits for what `problem` names.',
      headers: { ...everyHeader, 'Retry-After': retryAfter },
      content: json(statusSchema, {
        waiting: { value: { status: 'waiting', problem: 'the image store does not answer' } },
      }),
    },
  },
})

export const documentRoute = createRoute({
  method: 'get',
  path: '/openapi.json',
  operationId: 'readDocument',
  tags: ['service'],
  summary: 'This document',
  responses: {
    200: {
      description: 'In the form of OpenAPI 3.1.',
      headers: everyHeader,
      content: json(z.looseObject({}), { head: { value: { openapi: '3.1.0' } } }),
    },
    ...plainProblems,
  },
})

export const pageRoute = createRoute({
  method: 'get',
  path: '/docs',
  operationId: 'readPage',
  tags: ['service'],
  summary: 'This document as a page',
  responses: {
    200: { description: 'HTML.', headers: everyHeader, content: { 'text/html': { schema: z.string() } } },
    ...plainProblems,
  },
})
