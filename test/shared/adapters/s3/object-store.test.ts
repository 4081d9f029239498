import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'
import { openScriptedS3, s3Error } from './scripted-s3.ts'

const described = (size: number) => ({
  'content-length': String(size),
  'content-type': 'image/png',
  etag: '"abc"',
  'last-modified': 'Wed, 01 Jan 2025 00:00:00 GMT',
})

suite('the S3 object store', () => {
  test('a 403 on one object is a refusal, never an absence or an outage', async (context) => {
    const { store } = await openScriptedS3(context, () => s3Error(403, 'AccessDenied'))
    await assert.rejects(store.readStart('a', 10), RefusalError)
    await assert.rejects(store.head('a'), RefusalError)
    await assert.rejects(store.put({ key: 'a', body: 'x', contentType: 'text/plain' }), RefusalError)
  })

  test('a 403 on the bucket is a fault of the set-up', async (context) => {
    const { store } = await openScriptedS3(context, () => ({ status: 403 }))
    await assert.rejects(store.ping(), SetupError)
  })

  test('throttling is an outage, after one more try', async (context) => {
    const { store, requests } = await openScriptedS3(context, () => s3Error(503, 'SlowDown'))
    await assert.rejects(store.readStart('a', 10), OutageError)
    assert.equal(requests.length, 2)
  })

  test('an empty object is asked for once more, in the pinned version', async (context) => {
    const { store, requests } = await openScriptedS3(context, ({ method, url }) => {
      if (method === 'GET') return s3Error(416, 'InvalidRange')
      return url.searchParams.get('versionId') === 'v1'
        ? { status: 200, headers: { ...described(0), 'x-amz-version-id': 'v1' } }
        : { status: 200, headers: { ...described(99), 'x-amz-version-id': 'v2' } }
    })
    const start = await store.readStart('a', 10, { pin: { versionId: 'v1', etag: 'abc' } })
    assert.deepEqual([start?.object.versionId, start?.object.size, start?.bytes.length], ['v1', 0, 0])
    assert.equal(requests.length, 2)
  })

  test('an empty object that was replaced before it could be described is read anew', async (context) => {
    const { store } = await openScriptedS3(context, ({ method }, count) => {
      if (count === 1) return s3Error(416, 'InvalidRange')
      if (method === 'HEAD') return { status: 200, headers: described(3) }
      return { status: 206, headers: { ...described(3), 'content-range': 'bytes 0-2/3' }, body: 'new' }
    })
    const start = await store.readStart('a', 10)
    assert.deepEqual([start?.object.size, Buffer.from(start?.bytes ?? []).toString()], [3, 'new'])
  })

  test('one ranged GET tells everything, and a pin goes with it', async (context) => {
    const asked: unknown[] = []
    const { store } = await openScriptedS3(context, ({ headers }) => {
      asked.push([headers.range, headers['if-match']])
      return { status: 206, headers: { ...described(4), 'content-range': 'bytes 0-3/1000' }, body: 'four' }
    })
    const start = await store.readStart('a', 4, { pin: { etag: 'abc' } })
    assert.deepEqual(asked, [['bytes=0-3', 'abc']])
    assert.deepEqual(start?.object, {
      key: 'a',
      size: 1000,
      contentType: 'image/png',
      etag: 'abc',
      lastModified: new Date('2025-01-01T00:00:00Z'),
      metadata: {},
    })
  })

  test('a create that meets another is to be repeated', async (context) => {
    const { store } = await openScriptedS3(context, () => s3Error(409, 'ConditionalRequestConflict'))
    await assert.rejects(store.create({ key: 'a', body: 'x', contentType: 'text/plain' }), OutageError)
  })

  test('remove names every version of the key, and no marker is made where nothing is', async (context) => {
    const versions = `<ListVersionsResult><Version><Key>a</Key><VersionId>v2</VersionId></Version>
      <DeleteMarker><Key>a</Key><VersionId>v3</VersionId></DeleteMarker>
      <Version><Key>ab</Key><VersionId>v9</VersionId></Version></ListVersionsResult>`
    const { store, requests, bodies } = await openScriptedS3(context, ({ method, url }) => {
      if (method === 'POST') return { status: 200, body: '<DeleteResult></DeleteResult>' }
      return { status: 200, body: url.searchParams.get('prefix') === 'a' ? versions : '<ListVersionsResult/>' }
    })
    await store.remove('a')
    await store.remove('never was')
    assert.deepEqual(
      requests.map((request) => request.split(' ')[0]),
      ['GET', 'POST', 'GET'],
    )
    const named = [...(bodies[1] ?? '').matchAll(/<VersionId>(\w+)</g)].map(([, version]) => version)
    assert.deepEqual(named, ['v2', 'v3'])
  })

  test('an object that S3 keeps although it should go is a refusal', async (context) => {
    const { store } = await openScriptedS3(context, ({ method }) =>
      method === 'GET'
        ? { status: 200, body: '<ListVersionsResult><Version><Key>a</Key></Version></ListVersionsResult>' }
        : { status: 200, body: '<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error></DeleteResult>' },
    )
    await assert.rejects(store.remove('a'), RefusalError)
  })
})
