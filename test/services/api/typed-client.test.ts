import assert from 'node:assert/strict'
import test from 'node:test'

import { hc } from 'hono/client'

import type { ApiType } from 'image-intake/api'

import { json } from '../../../services/api/answers.ts'
import { metadataRoute, ticketRoute } from '../../../services/api/routes.ts'
import { openTestApi, signTestToken, testKey } from '../../support/api.ts'

const api = await openTestApi()
const client = hc<ApiType>('http://localhost', {
  headers: { Authorization: `Bearer ${await signTestToken()}` },
  fetch: (input: string | URL | Request, init?: RequestInit) =>
    api.app.request(input instanceof Request ? input : String(input), init),
})

test('a typed client asks for a ticket, reads metadata by a key with slashes, and deletes', async () => {
  const asked = { purpose: 'scan', content_type: 'image/png', content_length: 5 } as const
  const ticketAnswer = await client.images['presigned-url'].$post({ json: asked })
  assert.ok(ticketAnswer.ok)
  const ticket = await ticketAnswer.json()
  assert.equal(ticket.method, 'PUT')
  api.images.upload({ key: ticket.key, bytes: Buffer.from('bytes'), contentType: 'image/png' })

  const param = { key: ticket.key }
  const answer = await client.images[':key'].metadata.$get({ param })
  assert.ok(answer.status === 200)
  assert.equal((await answer.json()).status, 'pending')
  assert.equal((await client.images[':key'].$delete({ param })).status, 204)
  assert.equal(api.images.objects.size, 0)
})

test('a typed client reads the code of a problem', async () => {
  const asked = { content_type: 'image/heic', content_length: 5 }
  const answer = await client.images['presigned-url'].chat.$post({ json: asked })
  assert.ok(answer.status === 415)
  assert.equal((await answer.json()).code, 'content_type_not_allowed')
})

test('an answer that is not as its route says does not pass the compiler', () => {
  // @ts-expect-error a ticket has more than a key
  json(ticketRoute, 200, { key: testKey() })
  // @ts-expect-error metadata is never answered with 201
  json(metadataRoute, 201, {})
})

test('a call that the API does not take does not pass the compiler', () => {
  const wrong = () => [
    // @ts-expect-error there is no such purpose
    client.images['presigned-url'].$post({ json: { purpose: 'avatar', content_type: 'image/png', content_length: 5 } }),
    // @ts-expect-error a length is a number
    client.images['presigned-url'].scan.$post({ json: { content_type: 'image/png', content_length: '5' } }),
  ]
  assert.equal(wrong.length, 0)
})
