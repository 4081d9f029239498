import { OpenAPIHono, type RouteConfig } from '@hono/zod-openapi'

import { securityHeaders } from './answers.ts'
import { everyHeader } from './route-answers.ts'
import { deleteRoute, metadataRoute, purposeTicketRoutes, ticketRoute } from './routes.ts'
import { documentRoute, livenessRoute, pageRoute, readinessRoute } from './service-routes.ts'

const headersOfAll = new Set([...Object.keys(everyHeader), ...Object.keys(securityHeaders)])
const description = [
  'Upload tickets for images, what became of them, and their deletion.',
  'Every error is a problem document (RFC 9457, `application/problem+json`) with a stable `code` and a `request_id`.',
  'Where no route is: 404 `route_not_found`. `OPTIONS` is answered everywhere with a 204, for preflights.',
  `Every answer has ${[...headersOfAll].map((name) => `\`${name}\``).join(', ')} and \`Vary: Origin\`, and for pages of allowed origins the headers of CORS.`,
].join('\n\n')

/** In the order of the document. */
const routes: RouteConfig[] = [
  ...[ticketRoute, ...purposeTicketRoutes, metadataRoute, deleteRoute],
  ...[livenessRoute, readinessRoute, documentRoute, pageRoute],
]

/** What takes GET takes HEAD too, and answers it alike but for the body. */
const headOf = ({ responses, operationId, summary, ...route }: RouteConfig): RouteConfig => ({
  ...route,
  method: 'head',
  operationId: `${operationId}Head`,
  summary: `${summary}: the answer's headers alone`,
  responses: Object.fromEntries(Object.entries(responses).map(([status, answer]) => [status, withoutContent(answer)])),
})

type AnswerConfig = RouteConfig['responses'][string]

const withoutContent = (answer: AnswerConfig) =>
  // The field that is left out is optional.
  Object.fromEntries(Object.entries(answer).filter(([name]) => name !== 'content')) as AnswerConfig

/** The API as an OpenAPI 3.1 document, made of the schemas that its requests are checked against. */
export const describeApi = () => {
  const app = new OpenAPIHono()
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The subject (`sub`) is the user that owns the images.',
  })
  for (const route of routes) {
    app.openAPIRegistry.registerPath(route)
    if (route.method === 'get') app.openAPIRegistry.registerPath(headOf(route))
  }
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'image-intake', version: '0.1.0', description },
  })
}
