import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'

import { jobId } from '#shared/domain/ids.ts'
import { imageTypes } from '#shared/domain/images/image-types.ts'
import { parseKey } from '#shared/domain/keys.ts'
import { purposeNames } from '#shared/domain/purposes.ts'

import { ticketSchema } from '../../../services/api/schemas.ts'
import type { UploadLocks } from '#shared/ports/object-store.ts'

import {
  assertProblem,
  openTestApi,
  signTestToken,
  testNow,
  testPlace,
  testSigner,
  type Answer,
} from '../../support/api.ts'

const api = await openTestApi()
const asked = { content_type: 'image/jpeg', content_length: 48_213 }

const readTicket = ({ status, json, text }: Answer) => {
  assert.equal(status, 200, text)
  return ticketSchema.strict().parse(json)
}

const readKey = (key: string) => {
  const parsed = parseKey(key)
  assert.ok(parsed.ok, key)
  return parsed.facts
}

const signedHeaders = (url: string) => new URL(url).searchParams.get('X-Amz-SignedHeaders')

test('a scan ticket has exactly the fields of the contract', async () => {
  const answer = await api.askTicket({ purpose: 'scan', ...asked })
  const { key, upload_url, ...rest } = readTicket(answer)
  const { id } = readKey(key)
  assert.equal(key, `scans/20261123/user-1/${id}`)
  assert.deepEqual(rest, {
    method: 'PUT',
    required_headers: { 'Content-Type': 'image/jpeg', 'If-None-Match': '*' },
    cdn_url: `https://cdn.example.com/${key}`,
    expires_in: 300,
    expires_at: '2026-11-24T00:04:59.000Z',
    job_id: jobId(testPlace.bucket, readKey(key).key),
  })
  assert.ok(upload_url.startsWith(`https://uploads.example.com/images-1/${key}?`), upload_url)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
})

test('the URL of a ticket is signed over every lock, and holds nothing of the SDK’s default checksums', async () => {
  const { upload_url } = readTicket(await api.askTicket({ purpose: 'scan', ...asked }))
  const query = new URL(upload_url).searchParams
  assert.equal(signedHeaders(upload_url), 'content-length;content-type;host;if-none-match')
  assert.equal(query.get('X-Amz-Expires'), '300')
  assert.equal(query.get('X-Amz-Date'), '20261123T235959Z')
  assert.doesNotMatch(upload_url, /checksum|crc32/i)
})

test('a checksum is locked into the signature and must be sent as a header', async () => {
  const checksum_sha256 = createHash('sha256').update('a file').digest('base64')
  const ticket = readTicket(await api.askTicket({ purpose: 'chat', ...asked, checksum_sha256 }))
  assert.deepEqual(ticket.required_headers, {
    'Content-Type': 'image/jpeg',
    'If-None-Match': '*',
    'x-amz-checksum-sha256': checksum_sha256,
  })
  assert.equal(signedHeaders(ticket.upload_url), 'content-length;content-type;host;if-none-match;x-amz-checksum-sha256')
  assert.equal(new URL(ticket.upload_url).searchParams.get('x-amz-checksum-sha256'), null)
})

test('required_headers is all that a client sets itself: with host and content-length it makes up the signed headers', async () => {
  for (const checksum of [{}, { checksum_sha256: createHash('sha256').digest('base64') }]) {
    const ticket = readTicket(await api.askTicket({ purpose: 'profile', ...asked, ...checksum }))
    const names = [...Object.keys(ticket.required_headers).map((name) => name.toLowerCase()), 'host', 'content-length']
    assert.deepEqual(signedHeaders(ticket.upload_url)?.split(';').sort(), names.sort())
  }
})

for (const purpose of purposeNames) {
  test(`the path /${purpose} and the body's purpose ${purpose} give the same kind of ticket`, async () => {
    const answers = [
      await api.askTicket(asked, `/${purpose}`),
      await api.askTicket({ purpose, ...asked }, `/${purpose}`),
      await api.askTicket({ purpose, ...asked }),
    ]
    for (const answer of answers) {
      const ticket = readTicket(answer)
      assert.equal(readKey(ticket.key).purpose, purpose)
      assert.equal(ticket.job_id !== undefined, purpose === 'scan')
    }
  })

  test(`a purpose that contradicts the path /${purpose} is refused`, async () => {
    for (const other of [...purposeNames.filter((name) => name !== purpose), 'avatar', null, 7]) {
      const { detail } = assertProblem(
        await api.askTicket({ purpose: other, ...asked }, `/${purpose}`),
        'purpose_contradiction',
      )
      assert.match(detail, new RegExp(`leave "purpose" out or set it to "${purpose}"`))
    }
  })
}

test('every ticket has a key of its own', async () => {
  const keys = await Promise.all(
    Array.from({ length: 50 }, async () => readTicket(await api.askTicket(asked, '/scan')).key),
  )
  assert.equal(new Set(keys).size, 50)
})

test('all allowed types get a ticket that locks the type in its plain form', async () => {
  const spellings = [...imageTypes.map((type) => [type, type]), ['IMAGE/Png', 'image/png'], ['image/jpg', 'image/jpeg']]
  for (const [content_type = '', locked] of spellings) {
    const ticket = readTicket(await api.askTicket({ ...asked, content_type }, '/chat'))
    assert.equal(ticket.required_headers['Content-Type'], locked)
  }
})

test('the smallest and the largest length get a ticket', async () => {
  for (const content_length of [1, 10_485_760]) readTicket(await api.askTicket({ ...asked, content_length }, '/scan'))
})

test('a subject of any characters gets a key from which it can be read back', async () => {
  for (const sub of ['a/b', '../..', '%2e%2e', 'user_1', 'Jürgen 🙂', '\0', '.', 'auth0|5f7c8ec7c33c6c004bbafe82']) {
    const token = await signTestToken({ sub })
    const { key, upload_url } = readTicket(await api.askTicket(asked, '/scan', { token }))
    assert.equal(readKey(key).userId, sub)
    assert.equal(new URL(upload_url).pathname, `/images-1/${key}`)
  }
})

test('a ticket says how long it lives as it was configured', async () => {
  const { askTicket } = await openTestApi({ ticketRules: { seconds: 60, createOnly: true } })
  const ticket = readTicket(await askTicket(asked, '/scan'))
  assert.equal(ticket.expires_in, 60)
  assert.equal(ticket.expires_at, '2026-11-24T00:00:59.000Z')
  assert.equal(new URL(ticket.upload_url).searchParams.get('X-Amz-Expires'), '60')
})

test('tickets are counted by purpose', async () => {
  const { askTicket, registry } = await openTestApi()
  await askTicket(asked, '/chat')
  await askTicket({ ...asked, content_length: 0 }, '/chat')
  const text = await registry.metrics()
  assert.match(text, /image_intake_tickets_total\{purpose="chat"\} 1\n/)
  assert.match(text, /image_intake_http_requests_total\{method="POST",status="422"\} 1\n/)
})

const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

test("a request's trace context is locked into the ticket, to be stored with the object", async () => {
  const answer = await api.askTicket({ purpose: 'scan', ...asked }, '', { headers: { traceparent: trace } })
  const { required_headers, upload_url } = readTicket(answer)
  assert.equal(required_headers['x-amz-meta-traceparent'], trace)
  assert.equal(
    new URL(upload_url).searchParams.get('X-Amz-SignedHeaders'),
    'content-length;content-type;host;if-none-match;x-amz-meta-traceparent',
  )
})

test('a trace context of a later version is locked in as version 00', async () => {
  const headers = { traceparent: `${trace.replace('00-', '01-')}-more` }
  const { required_headers } = readTicket(await api.askTicket({ purpose: 'scan', ...asked }, '', { headers }))
  assert.equal(required_headers['x-amz-meta-traceparent'], trace)
})

for (const bad of [
  '',
  'garbage',
  trace.replace('00-', 'ff-'),
  `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
  trace.toUpperCase(),
  `${trace}-more`,
  `${trace}, ${trace}`,
]) {
  test(`a trace context that is none (${bad.slice(0, 20)}) is passed over`, async () => {
    const answer = await api.askTicket({ purpose: 'scan', ...asked }, '', { headers: { traceparent: bad } })
    assert.deepEqual(Object.keys(readTicket(answer).required_headers), ['Content-Type', 'If-None-Match'])
  })
}

test('without create only, for stores that know no conditional writes, a ticket asks for none', async () => {
  const { askTicket } = await openTestApi({ ticketRules: { seconds: 300, createOnly: false } })
  const { required_headers, upload_url } = readTicket(await askTicket({ purpose: 'scan', ...asked }))
  assert.deepEqual(required_headers, { 'Content-Type': 'image/jpeg' })
  assert.equal(new URL(upload_url).searchParams.get('X-Amz-SignedHeaders'), 'content-length;content-type;host')
})

test('a ticket lives no longer than the credentials that signed it', async () => {
  const sign = (locks: UploadLocks, now: Date) => ({ ...signed(locks, now), expiresInSeconds: 77 })
  const { askTicket } = await openTestApi({ signer: { ...testSigner, sign } })
  const { expires_in, expires_at } = readTicket(await askTicket({ purpose: 'scan', ...asked }))
  assert.equal(expires_in, 77)
  assert.equal(Date.parse(expires_at), Math.floor(testNow.getTime() / 1000) * 1000 + 77_000)
})

const signed = (locks: UploadLocks, now: Date) => {
  const upload = testSigner.sign(locks, now)
  assert.ok(!(upload instanceof Promise), 'with fixed credentials signing waits for nothing')
  return upload
}
