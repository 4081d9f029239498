import assert from 'node:assert/strict'
import test from 'node:test'

import { z } from 'zod'

import { purposes } from '#shared/domain/purposes.ts'

// The table is read when the modules are loaded, and each file of tests is a process of its own.
Object.assign(purposes.chat, { minBytes: 10, maxBytes: 1_000, types: ['image/png'] })

const { assertProblem, openTestApi } = await import('../../support/api.ts')
const { askTicket, request } = await openTestApi()
const png = { content_type: 'image/png' }

test('a purpose with limits of its own keeps to them, by its path and by its name', async () => {
  for (const length of [9, 1_001, 10_485_760]) {
    for (const [fields, path] of [
      [png, '/chat'],
      [{ purpose: 'chat', ...png }, '/chat'],
      [{ purpose: 'chat', ...png }, ''],
    ] as const) {
      const { errors } = assertProblem(await askTicket({ ...fields, content_length: length }, path), 'invalid_request')
      const detail = 'must be a whole number of bytes from 10 to 1000'
      assert.deepEqual(errors, [{ pointer: '/content_length', detail }])
    }
  }
  for (const length of [10, 1_000])
    assert.equal((await askTicket({ ...png, content_length: length }, '/chat')).status, 200)
  const { errors } = assertProblem(await askTicket({ content_length: 10 }, '/chat'), 'invalid_request')
  assert.deepEqual(errors, [{ pointer: '/content_type', detail: 'must be one of image/png' }])
})

test('the others keep to theirs', async () => {
  for (const length of [1, 10_485_760]) {
    const fields = { content_type: 'image/jpeg', content_length: length }
    for (const purpose of ['scan', 'profile']) {
      assert.equal((await askTicket(fields, `/${purpose}`)).status, 200)
      assert.equal((await askTicket({ purpose, ...fields })).status, 200)
    }
  }
})

const body = z.object({
  properties: z.object({
    purpose: z.unknown(),
    content_length: z.object({ minimum: z.int(), maximum: z.int(), description: z.string() }),
    content_type: z.object({ description: z.string() }),
  }),
})
const documentSchema = z.object({
  components: z.object({ schemas: z.object({ TicketRequest: body }) }),
  paths: z.object({
    '/images/presigned-url/chat': z.object({
      post: z.object({
        requestBody: z.object({ content: z.object({ 'application/json': z.object({ schema: body }) }) }),
      }),
    }),
  }),
})

test('the document tells the limits of each purpose', async () => {
  const { components, paths } = documentSchema.parse((await request('GET', '/openapi.json', { token: '' })).json)
  const { properties: any } = components.schemas.TicketRequest
  assert.deepEqual([any.content_length.minimum, any.content_length.maximum], [1, 10_485_760])
  assert.match(any.content_length.description, /For chat from 10 to 1000\./)
  assert.match(any.content_type.description, /image\/jpeg, image\/png/)
  const { properties: chat } = paths['/images/presigned-url/chat'].post.requestBody.content['application/json'].schema
  assert.deepEqual([chat.content_length.minimum, chat.content_length.maximum], [10, 1_000])
  assert.match(chat.content_type.description, /^One of image\/png,/)
})
