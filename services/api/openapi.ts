import { OpenAPIHono } from '@hono/zod-openapi'

import { securityHeaders } from './answers.ts'
import { problemTable } from './problems.ts'
import { everyHeader, routelessCodes } from './route-answers.ts'
import { deleteRoute, metadataRoute, purposeTicketRoutes, ticketRoute } from './routes.ts'
import { documentRoute, livenessRoute, pageRoute, readinessRoute } from './service-routes.ts'

const headersOfAll = new Set([...Object.keys(everyHeader), ...Object.keys(securityHeaders)])
const [noRoute, noMethod] = routelessCodes.map((code) => `${problemTable[code].status} \`${code}\``)
const description = [
  'Upload tickets for images, what became of them, and their deletion.',
  'Every error is a problem document (RFC 9457, `application/problem+json`) with a stable `code` and a `request_id`.',
  `Where no route is: ${noRoute}. For a method that a route does not take: ${noMethod}, with \`Allow\`.`,
  `Every answer has ${[...headersOfAll].map((name) => `\`${name}\``).join(', ')} and \`Vary: Origin\`, and for pages of allowed origins the headers of CORS.`,
].join('\n\n')

/** In the order of the document. */
const routes = [
  ...[ticketRoute, ...purposeTicketRoutes, metadataRoute, deleteRoute],
  ...[livenessRoute, readinessRoute, documentRoute, pageRoute],
]

/** The API as an OpenAPI 3.1 document, made of the schemas that its requests are checked against. */
export const describeApi = () => {
  const app = new OpenAPIHono()
  app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'The subject (`sub`) is the user that owns the images.',
  })
  for (const route of routes) app.openAPIRegistry.registerPath(route)
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'image-intake', version: '0.1.0', description },
  })
}
