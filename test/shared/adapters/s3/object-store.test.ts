import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { suite, test } from 'node:test'

import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'
import { openScriptedS3, s3Error, type ScriptedAnswer } from './scripted-s3.ts'

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

  test('a 400 on the bucket asks after the region and the session, a 301 after the region alone', async (context) => {
    for (const [status, session] of [
      [400, true],
      [301, false],
    ] as const) {
      const { store } = await openScriptedS3(context, () => ({ status }))
      await assert.rejects(store.ping(), (error) => {
        assert.ok(error instanceof SetupError)
        assert.match(error.message, /is AWS_REGION that of the bucket/)
        return /AWS_SESSION_TOKEN/.test(error.message) === session
      })
    }
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
    assert.deepEqual(asked, [['bytes=0-3', '"abc"']])
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

  test('a create that the store does not know is refused, and is no outage', async (context) => {
    const { store, requests } = await openScriptedS3(context, () => s3Error(501, 'NotImplemented'))
    await assert.rejects(store.create({ key: 'a', body: 'x', contentType: 'text/plain' }), RefusalError)
    assert.equal(requests.length, 1)
  })

  test('a create that meets another is asked again, until it is told how that ended', async (context) => {
    const { store } = await openScriptedS3(context, (_, count) =>
      count < 3 ? s3Error(409, 'ConditionalRequestConflict') : { status: 200 },
    )
    assert.equal(await store.create({ key: 'a', body: 'x', contentType: 'text/plain' }), 'created')
  })

  test('a state is replaced on condition of its etag, and without one where the store knows none', async (context) => {
    const asked: unknown[] = []
    const { store } = await openScriptedS3(context, ({ headers }) => {
      asked.push(headers['if-match'])
      return headers['if-match'] === '"old"' ? s3Error(501, 'NotImplemented') : { status: 200 }
    })
    for (const etag of ['abc', 'old']) {
      assert.equal(await store.replace({ key: 'a', body: 'x', contentType: 'text/plain' }, etag), 'replaced')
    }
    assert.deepEqual(asked, ['"abc"', '"old"', undefined])
  })

  test('an object whose range is refused although it has bytes is a refusal', async (context) => {
    const { store, requests } = await openScriptedS3(context, ({ method }) =>
      method === 'HEAD' ? { status: 200, headers: described(3) } : s3Error(416, 'InvalidRange'),
    )
    await assert.rejects(store.readStart('a', 10), RefusalError)
    assert.equal(requests.length, 4)
  })

  test('of a store that ignores the range the first bytes are taken, and the size by its length', async (context) => {
    const { store } = await openScriptedS3(context, () => ({ status: 200, headers: described(10), body: '0123456789' }))
    for (const [maxBytes, bytes] of [
      [4, '0123'],
      [10, '0123456789'],
      [11, '0123456789'],
    ] as const) {
      const start = await store.readStart('a', maxBytes)
      assert.deepEqual([start?.object.size, Buffer.from(start?.bytes ?? []).toString()], [10, bytes])
    }
  })

  const unreadable: Record<string, ScriptedAnswer> = {
    'a range that does not begin at 0': { status: 206, headers: { 'content-range': 'bytes 1-4/10' }, body: '1234' },
    'fewer bytes than the range says': { status: 206, headers: { 'content-range': 'bytes 0-3/10' }, body: '012' },
    'a shorter range than was asked for': { status: 206, headers: { 'content-range': 'bytes 0-1/10' }, body: '01' },
    'a range without a size': { status: 206, headers: { 'content-range': 'bytes 0-3/*' }, body: '0123' },
    'no range': { status: 206, headers: { 'content-type': 'image/png' }, body: '0123' },
    'a time that is none': { status: 200, headers: { 'last-modified': 'soon' }, body: '0123' },
    'no content': { status: 204 },
  }
  for (const [what, answer] of Object.entries(unreadable)) {
    test(`an answer with ${what} is a refusal, never an object`, async (context) => {
      const { store } = await openScriptedS3(context, () => answer)
      await assert.rejects(store.readStart('a', 4), RefusalError)
    })
  }

  test('the bytes of an object with a content coding stay as they are', async (context) => {
    const headers = { ...described(4), 'content-encoding': 'gzip' }
    const { store } = await openScriptedS3(context, () => ({ status: 200, headers, body: 'four' }))
    assert.equal(Buffer.from((await store.readStart('a', 10))?.bytes ?? []).toString(), 'four')
  })

  test('a version that is null or empty is none, and metadata stand under their own names', async (context) => {
    for (const [told, versionId] of [
      ['null', undefined],
      ['', undefined],
      ['v1', 'v1'],
    ] as const) {
      const headers = { ...described(4), 'x-amz-version-id': told, 'X-Amz-Meta-Traceparent': '00-1', 'x-amz-id-2': 'x' }
      const { store } = await openScriptedS3(context, () => ({ status: 200, headers, body: 'four' }))
      for (const object of [(await store.readStart('a', 10))?.object, await store.head('a')]) {
        assert.ok(object)
        assert.equal(object.versionId, versionId)
        assert.equal('versionId' in object, versionId !== undefined)
        assert.deepEqual(object.metadata, { traceparent: '00-1' })
      }
    }
  })

  test('an etag without a version is a condition, and an empty one is none', async (context) => {
    const asked: unknown[] = []
    const { store } = await openScriptedS3(context, ({ url, headers }) => {
      asked.push([url.searchParams.get('versionId'), headers['if-match']])
      return { status: 200, headers: described(4), body: 'four' }
    })
    for (const pin of [{ versionId: 'v+1/&', etag: 'e' }, { versionId: '', etag: 'e' }, { etag: '' }, {}]) {
      await store.readStart('a', 10, { pin })
    }
    assert.deepEqual(asked, [
      ['v+1/&', undefined],
      [null, '"e"'],
      [null, undefined],
      [null, undefined],
    ])
  })

  test('a 404 that names no key may mean the bucket, which is asked for', async (context) => {
    for (const [bucketStatus, expected] of [
      [200, undefined],
      [404, SetupError],
      [503, OutageError],
    ] as const) {
      const { store } = await openScriptedS3(context, ({ url }) =>
        url.pathname.replace(/\/$/, '') === '/images' ? { status: bucketStatus } : { status: 404, body: '<html>' },
      )
      for (const read of [() => store.readStart('a', 10), () => store.head('a')]) {
        if (expected) await assert.rejects(read(), expected)
        else assert.equal(await read(), undefined)
      }
    }
  })

  test('an object that is not there is not asked for twice', async (context) => {
    for (const code of ['NoSuchKey', 'NoSuchVersion']) {
      const { store, requests } = await openScriptedS3(context, () => s3Error(404, code))
      assert.equal(await store.readStart('a', 10), undefined)
      assert.equal(requests.length, 1)
    }
  })

  test('a delete marker is an absence, under its own id too; any other 405 is a refusal', async (context) => {
    let headers = {}
    const { store } = await openScriptedS3(context, () => ({ ...s3Error(405, 'MethodNotAllowed'), headers }))
    await assert.rejects(store.readStart('a', 10, { pin: { versionId: 'v1' } }), RefusalError)
    headers = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': 'v1' }
    assert.equal(await store.readStart('a', 10, { pin: { versionId: 'v1' } }), undefined)
  })

  test('a bucket of another region is a fault of the set-up', async (context) => {
    const { store } = await openScriptedS3(context, ({ method }) =>
      method === 'HEAD' ? { status: 301 } : s3Error(301, 'PermanentRedirect'),
    )
    await assert.rejects(store.readStart('a', 10), SetupError)
    await assert.rejects(store.head('a'), SetupError)
    await assert.rejects(store.put({ key: 'a', body: 'x', contentType: 'text/plain' }), SetupError)
  })

  test('what no request can say is a refusal, and is not sent', async (context) => {
    const { store, requests } = await openScriptedS3(context, () => ({ status: 200 }))
    await assert.rejects(store.readStart('', 10), RefusalError)
    await assert.rejects(store.readStart('\ud800', 10), RefusalError)
    await assert.rejects(store.readStart('a', 10, { pin: { versionId: '\udc00' } }), RefusalError)
    await assert.rejects(store.put({ key: 'a', body: '', contentType: 'image/png\nx' }), RefusalError)
    assert.deepEqual(requests, [])
  })

  test('a key keeps its dots and empty segments on the way', async (context) => {
    const { store, targets } = await openScriptedS3(context, () => ({ status: 200, headers: described(0) }))
    await store.readStart('/../a//./b', 10)
    assert.deepEqual(targets, ['/images//../a//./b'])
  })

  test('an object is stored with its type, its length and its hash', async (context) => {
    const asked: unknown[] = []
    const { store, bodies } = await openScriptedS3(context, ({ method, headers }) => {
      const sha256 = headers['x-amz-content-sha256']
      asked.push([method, headers['content-type'], headers['content-length'], headers['if-none-match'], sha256])
      return { status: 200 }
    })
    await store.put({ key: 'a', body: 'ü', contentType: 'text/plain' })
    assert.equal(await store.create({ key: 'a', body: '', contentType: 'text/plain' }), 'created')
    assert.deepEqual(asked, [
      ['PUT', 'text/plain', '2', undefined, hash('sha256', 'ü')],
      ['PUT', 'text/plain', '0', '*', hash('sha256', '')],
    ])
    assert.deepEqual(bodies, ['ü', ''])
  })
})
