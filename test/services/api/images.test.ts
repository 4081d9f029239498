import assert from 'node:assert/strict'
import test from 'node:test'

import { verdictKey, type VerdictRecord } from '#shared/domain/verdict.ts'
import type { StoredObject } from '#shared/domain/stored-object.ts'

import { metadataSchema } from '../../../services/api/schemas.ts'
import { assertProblem, openTestApi, signTestToken, testKey, type Answer, type TestApi } from '../../support/api.ts'

const key = testKey()
const pathOf = (text: string) => `/images/${text}/metadata`

const upload = ({ images }: TestApi, versionId?: string, at = key) =>
  images.upload({
    key: at,
    bytes: Buffer.from('an image'),
    contentType: 'image/jpeg',
    ...(versionId === undefined ? {} : { versionId }),
  })

const accepted = (
  object: StoredObject,
  changes: { [Name in keyof VerdictRecord]?: VerdictRecord[Name] | undefined } = {},
): unknown => ({
  verdict: 'accepted',
  event_id: '0'.repeat(32),
  etag: object.etag,
  ...(object.versionId === undefined ? {} : { version_id: object.versionId }),
  size: object.size,
  content_type: 'image/jpeg',
  width: 640,
  height: 480,
  uploaded_at: object.lastModified.toISOString(),
  ...changes,
})

const store = ({ states }: TestApi, text: string) =>
  states.upload({ key: verdictKey(key), bytes: Buffer.from(text), contentType: 'application/json' })

const readMetadata = ({ status, json, text }: Answer) => {
  assert.equal(status, 200, text)
  return metadataSchema.strict().parse(json)
}

const ask = async (api: TestApi) => readMetadata(await api.request('GET', pathOf(key)))

test('an image without a verdict is pending, and all else is told', async () => {
  const api = await openTestApi()
  const object = upload(api)
  const { kept_until, ...rest } = await ask(api)
  assert.deepEqual(rest, {
    key,
    purpose: 'scan',
    user_id: 'user-1',
    status: 'pending',
    size: 8,
    content_type: 'image/jpeg',
    etag: object.etag,
    uploaded_at: object.lastModified.toISOString(),
    cdn_url: `https://cdn.example.com/${key}`,
  })
  const days = (Date.parse(kept_until ?? '') - object.lastModified.getTime()) / 86_400_000
  assert.ok(days >= 30 && days <= 31, `${days} days`)
})

test('a profile image is kept for ever, which is null', async () => {
  const api = await openTestApi()
  const profile = testKey('profile')
  upload(api, undefined, profile)
  const { kept_until } = readMetadata(await api.request('GET', pathOf(profile)))
  assert.equal(kept_until, null)
})

for (const versionId of [undefined, 'version-1']) {
  test(`an accepted image ${versionId ? 'with' : 'without'} a version has its dimensions`, async () => {
    const api = await openTestApi()
    store(api, JSON.stringify(accepted(upload(api, versionId))))
    const { status, width, height, reason } = await ask(api)
    assert.deepEqual(
      { status, width, height, reason },
      { status: 'accepted', width: 640, height: 480, reason: undefined },
    )
  })
}

test('a rejected image has a reason and a sentence', async () => {
  const api = await openTestApi()
  const refusal = { verdict: 'rejected', reason: 'not_an_image', detail: 'This is a PDF.' } as const
  store(api, JSON.stringify(accepted(upload(api), { ...refusal, width: undefined, height: undefined })))
  const { status, reason, detail } = await ask(api)
  assert.deepEqual({ status, reason, detail }, { status: 'rejected', reason: 'not_an_image', detail: 'This is a PDF.' })
})

test('an image that was removed as it was rejected is still told, with the reason, also after a delete', async () => {
  const api = await openTestApi()
  const object = upload(api)
  const refusal = { verdict: 'rejected', reason: 'not_an_image', detail: 'This is a PDF.', removed: true } as const
  store(api, JSON.stringify(accepted(object, { ...refusal, width: undefined, height: undefined })))
  const before = await ask(api)
  await api.images.store.remove(key)
  assert.deepEqual(await ask(api), before)
  assert.deepEqual(
    [before.status, before.reason, before.size, before.etag],
    ['rejected', 'not_an_image', 8, object.etag],
  )
  assert.equal((await api.request('DELETE', `/images/${key}`)).status, 204)
  assert.equal((await ask(api)).status, 'rejected')
  const token = await signTestToken({ sub: 'user-2' })
  assertProblem(await api.request('GET', pathOf(key), { token }), 'image_not_found')
})

for (const [what, changes] of [
  ['accepted', {}],
  ['rejected, and then deleted by its user', { verdict: 'rejected', reason: 'not_an_image' }],
  ['marked as removed, but accepted', { removed: true }],
] as const) {
  test(`an image that is gone and was ${what} is not found`, async () => {
    const api = await openTestApi()
    store(api, JSON.stringify(accepted(upload(api), changes)))
    await api.images.store.remove(key)
    assertProblem(await api.request('GET', pathOf(key)), 'image_not_found')
  })
}

test('an image that is written again after one was removed is pending', async () => {
  const api = await openTestApi()
  const changes = { verdict: 'rejected', reason: 'empty', removed: true, etag: 'f'.repeat(32) } as const
  store(api, JSON.stringify(accepted(upload(api), changes)))
  assert.equal((await ask(api)).status, 'pending')
})

const others: [string, Partial<VerdictRecord>][] = [
  ['another etag', { etag: 'f'.repeat(32) }],
  ['another version', { version_id: 'version-2' }],
  ['another upload of the same bytes', { uploaded_at: '2026-01-01T00:00:00.000Z' }],
]

for (const [what, changes] of others) {
  test(`a verdict on ${what} does not count`, async () => {
    for (const versionId of [undefined, 'version-1']) {
      const api = await openTestApi()
      store(api, JSON.stringify(accepted(upload(api, versionId), changes)))
      const { status, width } = await ask(api)
      assert.deepEqual({ status, width }, { status: 'pending', width: undefined })
    }
  })
}

test('the verdict of another version is told, with a reason that is not known here', async () => {
  const api = await openTestApi()
  const object = upload(api)
  const changes = { verdict: 'rejected', reason: 'too_dark', detail: 'Nothing can be seen.', width: undefined } as const
  store(api, JSON.stringify({ ...(accepted(object, changes) as object), added_later: { list: [1] } }))
  const { json, status } = await api.request('GET', pathOf(key))
  assert.equal(status, 200)
  assert.partialDeepStrictEqual(json, { status: 'rejected', reason: 'too_dark', detail: 'Nothing can be seen.' })
  assert.ok(typeof json === 'object' && json !== null && !('added_later' in json) && !('width' in json))
})

for (const text of ['', 'no json', 'null', '[]', '{"verdict":"accepted"}', ' '.repeat(20_000), '{"verdict":"maybe"}']) {
  test(`an unreadable verdict (${text.trim() || `${text.length} spaces`}) counts as none`, async () => {
    const api = await openTestApi()
    upload(api)
    store(api, text)
    assert.equal((await ask(api)).status, 'pending')
  })
}

test('HEAD answers as GET does, without a body', async () => {
  const api = await openTestApi()
  upload(api)
  const answer = await api.request('HEAD', pathOf(key))
  assert.equal(answer.status, 200)
  assert.equal(answer.text, '')
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/)
  assert.equal((await api.request('HEAD', pathOf(testKey('chat')))).status, 404)
})

const withoutId = ({ status, headers, text, json }: Answer) => ({
  status,
  text: text.replace(assertProblem({ status, headers, text, json } as Answer, 'image_not_found').request_id, ''),
  headers: [...headers].filter(([name]) => name !== 'x-request-id'),
})

test("another user's image is answered like one that is not there, but for the request id", async () => {
  const api = await openTestApi()
  const theirs = testKey('scan', 'user-2')
  const object = upload(api, undefined, theirs)
  for (const [method, end] of [
    ['GET', '/metadata'],
    ['DELETE', ''],
  ] as const) {
    const other = await api.request(method, `/images/${theirs}${end}`)
    const absent = await api.request('GET', pathOf(testKey('scan', 'user-1', '1'.repeat(32))))
    const noKey = await api.request(method, `/images/nothing${end}`)
    assert.deepEqual(withoutId(other), withoutId(absent))
    assert.deepEqual(withoutId(noKey), withoutId(absent))
  }
  assert.equal(api.images.objects.get(theirs)?.object, object)
  assert.deepEqual([...api.images.faults.calls.keys()], ['head'], 'the store was asked for the own key alone')
})

test('a user sees exactly the own images: 50 users by all keys', async () => {
  const api = await openTestApi()
  const users = Array.from({ length: 50 }, (_, index) => `user${'/_-.%'[index % 5] ?? ''}${index >> 1}`)
  for (const user of users) upload(api, undefined, testKey('chat', user))
  for (const user of users) {
    const token = await signTestToken({ sub: user })
    const seen = await Promise.all(
      users.map(async (owner) => (await api.request('GET', pathOf(testKey('chat', owner)), { token })).status),
    )
    assert.deepEqual(
      seen,
      users.map((owner) => (owner === user ? 200 : 404)),
    )
  }
})

test('a delete is answered with 204, also when the image is already gone', async () => {
  const api = await openTestApi()
  upload(api)
  for (const round of [1, 2]) {
    const { status, text } = await api.request('DELETE', `/images/${key}`)
    assert.deepEqual({ round, status, text }, { round, status: 204, text: '' })
    assert.equal(api.images.objects.size, 0)
  }
  assertProblem(await api.request('GET', pathOf(key)), 'image_not_found')
})

test('every delete leaves a line of who deleted what', async () => {
  const api = await openTestApi()
  const answer = await api.request('DELETE', `/images/${key}`)
  const { user_id, key: logged, purpose, request_id, msg } = JSON.parse(api.logText()) as Record<string, unknown>
  assert.deepEqual(
    { user_id, logged, purpose, request_id, msg },
    {
      user_id: 'user-1',
      logged: key,
      purpose: 'scan',
      request_id: answer.headers.get('x-request-id'),
      msg: 'image deleted',
    },
  )
})

test('a user deletes nothing but the own images: 50 users by all keys', async () => {
  const api = await openTestApi()
  const users = Array.from({ length: 50 }, (_, index) => `user${'/_-.%'[index % 5] ?? ''}${index >> 1}`)
  for (const user of users) upload(api, undefined, testKey('chat', user))
  for (const [index, user] of users.entries()) {
    const token = await signTestToken({ sub: user })
    for (const owner of users) {
      const { status } = await api.request('DELETE', `/images/${testKey('chat', owner)}`, { token })
      assert.equal(status, owner === user ? 204 : 404)
    }
    assert.equal(api.images.objects.size, users.length - index - 1)
  }
})

test('metadata that has not changed is a 304; a verdict changes it', async () => {
  const api = await openTestApi()
  const object = upload(api)
  const first = await api.request('GET', pathOf(key))
  const etag = first.headers.get('etag') ?? ''
  assert.match(etag, /^"[0-9a-f]{32}"$/)
  assert.equal(first.headers.get('cache-control'), 'private, no-cache')
  const askIf = (tag: string) => api.request('GET', pathOf(key), { headers: { 'If-None-Match': tag } })
  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const { status, text, headers } = await askIf(tag)
    assert.deepEqual([status, text, headers.get('etag')], [304, '', etag], tag)
  }
  for (const tag of ['"other"', '', etag.slice(1, -1)]) assert.equal((await askIf(tag)).status, 200, tag)
  store(api, JSON.stringify(accepted(object)))
  const changed = await askIf(etag)
  assert.deepEqual([changed.status, (changed.json as { status: string }).status], [200, 'accepted'])
  assert.notEqual(changed.headers.get('etag'), etag)
})
