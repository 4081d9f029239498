import assert from 'node:assert/strict'
import test from 'node:test'

import { assertProblem, openTestApi, testKey } from '../../support/api.ts'

const api = await openTestApi()
const { request } = api
const key = testKey()
const asked = JSON.stringify({ purpose: 'scan', content_type: 'image/png', content_length: 5 })

const allowed: [string, string][] = [
  ['/images/presigned-url', 'POST'],
  ['/images/presigned-url/scan', 'POST'],
  ['/images/presigned-url/profile', 'POST'],
  ['/images/presigned-url/chat', 'POST'],
  [`/images/${key}/metadata`, 'GET, HEAD'],
  [`/images/${encodeURIComponent(key)}/metadata`, 'GET, HEAD'],
  [`/images/${key}`, 'DELETE'],
  ['/openapi.json', 'GET, HEAD'],
  ['/docs', 'GET, HEAD'],
  ['/healthz', 'GET, HEAD'],
  ['/readyz', 'GET, HEAD'],
]

for (const [path, methods] of allowed) {
  test(`${path} takes ${methods} and answers every other method with 405`, async () => {
    const others = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'].filter((method) => !methods.includes(method))
    for (const method of others) {
      const answer = await request(method, path)
      const { detail } = assertProblem(answer, 'method_not_allowed')
      assert.equal(answer.headers.get('allow'), methods)
      assert.ok(detail.includes(methods), detail)
    }
  })
}

test('a path that no route has is a 404, with or without a token', async () => {
  for (const path of ['/', '/images', '/images/', '/image/x', '/metrics', '/docs/', '/%', '/images%2Fpresigned-url']) {
    for (const options of [{}, { token: '' }]) {
      const { detail } = assertProblem(await request('GET', path, options), 'route_not_found')
      assert.match(detail, /see \/docs/)
    }
  }
})

test('a path that names no purpose is a 404 that lists the purposes, for every method', async () => {
  for (const path of ['/images/presigned-url/scna', '/images/presigned-url/SCAN', '/images/presigned-url/scan/x']) {
    for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
      const { detail } = assertProblem(await request(method, path), 'route_not_found')
      assert.match(detail, /scan, profile, chat/)
    }
  }
})

test('a page of an allowed origin may call: the preflight needs no token', async () => {
  for (const path of ['/images/presigned-url', `/images/${key}`, '/nothing']) {
    const headers = { Origin: 'https://app.example.com', 'Access-Control-Request-Method': 'DELETE' }
    const { status, headers: answered, text } = await request('OPTIONS', path, { token: '', headers })
    assert.deepEqual({ status, text }, { status: 204, text: '' })
    assert.equal(answered.get('access-control-allow-origin'), 'https://app.example.com')
    assert.equal(answered.get('access-control-allow-methods'), 'GET,POST,DELETE')
    assert.equal(answered.get('access-control-allow-headers'), 'Authorization,Content-Type,If-None-Match,traceparent')
    assert.match(answered.get('vary') ?? '', /Origin/)
    assert.ok(answered.has('x-request-id'))
  }
})

test('errors can be read by a page of an allowed origin too', async () => {
  const headers = { Origin: 'https://app.example.com' }
  const answers = [
    await request('POST', '/images/presigned-url', { token: '', headers }),
    await request('POST', '/images/presigned-url', { body: 'x'.repeat(20_000), headers }),
    await request('PUT', '/images/presigned-url', { headers }),
    await request('GET', '/nothing', { headers }),
  ]
  assert.deepEqual(
    answers.map(({ status }) => status),
    [401, 413, 405, 404],
  )
  for (const answer of answers) {
    assert.equal(answer.headers.get('access-control-allow-origin'), 'https://app.example.com')
    assert.match(answer.headers.get('access-control-expose-headers') ?? '', /X-Request-Id/)
    assert.match(answer.headers.get('vary') ?? '', /Origin/)
  }
})

test('no other origin is let in', async () => {
  for (const Origin of [
    'https://evil.example.com',
    'null',
    'https://app.example.com.evil.org',
    'http://app.example.com',
  ]) {
    for (const method of ['OPTIONS', 'POST']) {
      const { headers } = await request(method, '/images/presigned-url', { headers: { Origin } })
      assert.equal(headers.get('access-control-allow-origin'), null)
    }
  }
})

test('without configured origins none is let in', async () => {
  const closed = await openTestApi({ corsOrigins: [] })
  for (const headers of [{ Origin: 'https://app.example.com' }, { Origin: '' }, {}]) {
    const answer = await closed.request('OPTIONS', '/images/presigned-url', { headers })
    assert.equal(answer.headers.get('access-control-allow-origin'), null)
  }
})

test('every answer has a request id of its own, nosniff, and is not to be stored', async () => {
  const answers = [
    await request('GET', '/healthz'),
    await request('GET', '/docs'),
    await request('POST', '/images/presigned-url', { body: asked }),
    await request('DELETE', `/images/${key}`),
    await request('GET', '/nothing', { headers: { 'X-Request-Id': 'mine' } }),
  ]
  const ids = answers.map(({ headers }) => headers.get('x-request-id'))
  assert.equal(new Set(ids).size, answers.length)
  for (const [index, { headers }] of answers.entries()) {
    assert.match(ids[index] ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('cache-control'), 'no-store')
  }
})

test('health needs no token; readiness tells what is awaited', async () => {
  const alive = await request('GET', '/healthz', { token: '' })
  assert.deepEqual([alive.status, alive.json], [200, { status: 'ok' }])
  const ready = await request('GET', '/readyz', { token: '' })
  assert.deepEqual([ready.status, ready.json], [200, { status: 'ready' }])
  const waiting = await openTestApi({ problem: () => Promise.resolve('the image store does not answer') })
  const { status, json, headers } = await waiting.request('GET', '/readyz', { token: '' })
  assert.deepEqual([status, json], [503, { status: 'waiting', problem: 'the image store does not answer' }])
  assert.equal(headers.get('retry-after'), '2', 'an answer stands for so long')
})

test('the log tells who got which ticket, and holds no token, signature or signed URL', async () => {
  const { askTicket, request: send, logText } = await openTestApi()
  const { json, headers } = await askTicket(JSON.parse(asked))
  await send('GET', `/images/${key}/metadata`)
  await send('DELETE', `/images/${key}`)
  await send('POST', '/images/presigned-url', { token: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.AAAA' })
  const line = JSON.parse(logText().split('\n')[0] ?? '') as Record<string, unknown>
  const { key: issued, upload_url } = json as { key: string; upload_url: string } // its shape is tested in tickets.test.ts
  const { user_id, key: logged, purpose, size, request_id, msg } = line
  assert.deepEqual(
    { user_id, logged, purpose, size, request_id, msg },
    {
      user_id: 'user-1',
      logged: issued,
      purpose: 'scan',
      size: 5,
      request_id: headers.get('x-request-id'),
      msg: 'ticket issued',
    },
  )
  const signature = new URL(upload_url).searchParams.get('X-Amz-Signature') ?? ''
  for (const secret of [signature, 'X-Amz', 'eyJ', 'Bearer', '?', 'secret'])
    assert.ok(!logText().includes(secret), secret)
})
