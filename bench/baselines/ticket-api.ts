import { randomUUID, type KeyObject } from 'node:crypto'
import type { AddressInfo } from 'node:net'

import { S3Client } from '@aws-sdk/client-s3'
import { serve } from '@hono/node-server'
import { zValidator } from '@hono/zod-validator'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { createMiddleware } from 'hono/factory'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import { jwtVerify } from 'jose'
import { pino } from 'pino'
import { collectDefaultMetrics, Counter, Registry } from 'prom-client'
import { z } from 'zod'

import { signByIntroduction } from './get-signed-url.ts'

const request = z.object({
  purpose: z.enum(['scan', 'profile', 'chat']),
  content_type: z.enum(['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif']),
  content_length: z.number().int().min(1).max(10_485_760),
})

/**
 * The ticket route, with the request id, limits and headers that ours has, as one writes it from the introductions of Hono
 * and its middleware, zod-validator, jose, the AWS SDK, pino and prom-client.
 */
export const servePlainTickets = async (options: {
  publicKey: KeyObject
  bucket: string
  region: string
  endpoint: string
  credentials: { accessKeyId: string; secretAccessKey: string }
}): Promise<{ url: string }> => {
  const { publicKey, bucket, ...s3 } = options
  const client = new S3Client({ ...s3, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' })
  const log = pino()
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const tickets = new Counter({
    name: 'tickets_total',
    help: 'Tickets issued.',
    labelNames: ['purpose'],
    registers: [registry],
  })
  const authenticate = createMiddleware<{ Variables: { userId: string } }>(async (c, next) => {
    const token = c.req.header('Authorization')?.replace(/^Bearer /, '') ?? ''
    const { payload } = await jwtVerify(token, publicKey, { algorithms: ['ES256'], requiredClaims: ['sub', 'exp'] })
    c.set('userId', payload.sub ?? '')
    await next()
  })

  const app = new Hono()
  app.use(requestId(), secureHeaders(), cors({ origin: ['https://app.example.com'] }), bodyLimit({ maxSize: 16_384 }))
  app.post('/images/presigned-url', authenticate, zValidator('json', request), async (c) => {
    const { purpose, content_type: contentType, content_length: contentLength } = c.req.valid('json')
    const userId = c.get('userId')
    const key = `${purpose}s/${new Date().toISOString().slice(0, 10)}/${userId}/${randomUUID()}`
    const url = await signByIntroduction(client, { bucket, key, contentType, contentLength })
    tickets.inc({ purpose })
    log.info({ userId, key, purpose, size: contentLength }, 'ticket issued')
    return c.json({
      key,
      upload_url: url,
      method: 'PUT',
      required_headers: { 'Content-Type': contentType, 'If-None-Match': '*' },
      expires_in: 300,
    })
  })
  const { port } = await new Promise<AddressInfo>((resolve) => {
    serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, resolve)
  })
  return { url: `http://127.0.0.1:${port}` }
}
