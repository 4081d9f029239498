import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'

import { OutageError, SetupError } from '#shared/ports/failures.ts'
import type { ObjectStore } from '#shared/ports/object-store.ts'

type Upload = {
  key: string
  bytes: Uint8Array
  contentType?: string
  metadata?: Readonly<Record<string, string>>
}

export type ObjectStoreUnderTest = {
  /** On an empty bucket. */
  store: ObjectStore
  /** Puts an object as a client does, past the port. */
  upload: (upload: Upload) => unknown
  /** The same adapter on a bucket that does not exist. */
  misplaced: ObjectStore
  /** The same adapter where nothing answers. */
  away: ObjectStore
  dispose?: () => Promise<void>
}

const calls: Readonly<Record<string, (store: ObjectStore) => Promise<unknown>>> = {
  readStart: (store) => store.readStart('key', 10),
  head: (store) => store.head('key'),
  put: (store) => store.put({ key: 'key', body: '{}', contentType: 'application/json' }),
  create: (store) => store.create({ key: 'key', body: '{}', contentType: 'application/json' }),
  replace: (store) => store.replace({ key: 'key', body: '{}', contentType: 'application/json' }, 'etag'),
  remove: (store) => store.remove('key'),
  removeVersion: (store) => store.removeVersion('key', { etag: 'etag' }),
  ping: (store) => store.ping(),
}

const unusualKeys = [
  'scans/20250101/user_40example/0123',
  'with space/and+plus',
  'per%20cent/100%',
  'ünï/日本/🙂',
  'quotes\'"<&>;:@,$=!*()[]{}|^~`#?',
]

/** What every object store promises (shared/ports/object-store.ts). */
export const objectStoreContract = (name: string, openStore: () => Promise<ObjectStoreUnderTest>): void => {
  const open = async (context: TestContext) => {
    const opened = await openStore()
    context.after(() => opened.dispose?.())
    return opened
  }
  const note = (key: string, body: string) => ({ key, body, contentType: 'text/plain' })
  const textOf = async (store: ObjectStore, key: string) => {
    const start = await store.readStart(key, 1000)
    return start && Buffer.from(start.bytes).toString()
  }

  suite(`${name} as an object store`, () => {
    test('reads the whole of a small object, and tells all that is known of it', async (context) => {
      const { store, upload } = await open(context)
      const bytes = Uint8Array.from([0, 1, 2, 254, 255])
      const before = Math.floor(Date.now() / 1000) * 1000
      await upload({ key: 'a', bytes, contentType: 'image/png', metadata: { traceparent: '00-1', other: 'x' } })
      const start = await store.readStart('a', 100)
      assert.ok(start)
      assert.deepEqual(Uint8Array.from(start.bytes), bytes)
      const { key, size, contentType, etag, lastModified, metadata } = start.object
      assert.deepEqual({ key, size, contentType }, { key: 'a', size: 5, contentType: 'image/png' })
      assert.deepEqual(metadata, { traceparent: '00-1', other: 'x' })
      assert.match(etag, /^[^"]+$/)
      assert.equal(lastModified.getTime() % 1000, 0)
      assert.ok(lastModified.getTime() >= before && lastModified.getTime() <= Date.now())
    })

    test('reads the first bytes of a big object, and tells its whole size', async (context) => {
      const { store, upload } = await open(context)
      const bytes = Buffer.alloc(1_000_000, 'abcdefg')
      await upload({ key: 'big', bytes })
      for (const maxBytes of [1, 65_536, 999_999, 1_000_000, 1_000_001]) {
        const start = await store.readStart('big', maxBytes)
        assert.ok(start)
        assert.equal(start.object.size, bytes.length)
        assert.ok(bytes.subarray(0, maxBytes).equals(start.bytes), `${maxBytes} bytes`)
      }
    })

    test('reads an empty object as one without bytes', async (context) => {
      const { store, upload } = await open(context)
      await upload({ key: 'empty', bytes: new Uint8Array(), contentType: 'image/gif' })
      const start = await store.readStart('empty', 100)
      assert.ok(start)
      assert.equal(start.bytes.length, 0)
      assert.deepEqual([start.object.size, start.object.contentType], [0, 'image/gif'])
      assert.deepEqual(start.object, await store.head('empty'))
    })

    test('answers undefined for what is not there', async (context) => {
      const { store } = await open(context)
      assert.equal(await store.readStart('missing', 100), undefined)
      assert.equal(await store.head('missing'), undefined)
    })

    test('a head tells the same as a read', async (context) => {
      const { store, upload } = await open(context)
      await upload({ key: 'a', bytes: Buffer.from('four'), contentType: 'image/webp', metadata: { m: '1' } })
      const start = await store.readStart('a', 1)
      assert.deepEqual(await store.head('a'), start?.object)
    })

    test('a pin lets the named state through and no other', async (context) => {
      const { store, upload } = await open(context)
      await upload({ key: 'a', bytes: Buffer.from('first') })
      const first = await store.head('a')
      assert.ok(first)
      const pin = { etag: first.etag }
      assert.deepEqual((await store.readStart('a', 100, { pin }))?.object, first)
      await upload({ key: 'a', bytes: Buffer.from('second') })
      assert.equal(await store.readStart('a', 100, { pin }), undefined)
      await upload({ key: 'a', bytes: new Uint8Array() })
      assert.equal(await store.readStart('a', 100, { pin }), undefined)
      await store.remove('a')
      assert.equal(await store.readStart('a', 100, { pin }), undefined)
    })

    test('a read ends when its signal aborts', async (context) => {
      const { store, upload } = await open(context)
      await upload({ key: 'a', bytes: Buffer.from('first') })
      await assert.rejects(store.readStart('a', 100, { signal: AbortSignal.abort() }))
    })

    test('put stores, and replaces', async (context) => {
      const { store } = await open(context)
      await store.put(note('a', 'one'))
      assert.equal(await textOf(store, 'a'), 'one')
      await store.put({ key: 'a', body: '{"two":"ü"}', contentType: 'application/json' })
      assert.equal(await textOf(store, 'a'), '{"two":"ü"}')
      const object = await store.head('a')
      assert.deepEqual([object?.contentType, object?.size], ['application/json', 12])
    })

    test('create stores where nothing is, and changes nothing where something is', async (context) => {
      const { store } = await open(context)
      assert.equal(await store.create(note('a', 'one')), 'created')
      const before = await store.head('a')
      assert.equal(await store.create({ key: 'a', body: 'two', contentType: 'text/html' }), 'exists')
      assert.deepEqual(await store.head('a'), before)
      assert.equal(await textOf(store, 'a'), 'one')
    })

    test('of many creates at once one wins', async (context) => {
      const { store } = await open(context)
      const bodies = Array.from({ length: 8 }, (_, index) => `body ${index}`)
      const ends = await Promise.allSettled(bodies.map((body) => store.create(note('a', body))))
      const winners = bodies.filter((_, index) => {
        const end = ends[index]
        // A store may ask the others to come again while one is being written.
        if (end?.status === 'rejected') assert.ok(end.reason instanceof OutageError)
        return end?.status === 'fulfilled' && end.value === 'created'
      })
      assert.equal(winners.length, 1)
      assert.equal(await textOf(store, 'a'), winners[0])
    })

    test('replace stores in the place of the named state, and changes nothing else', async (context) => {
      const { store } = await open(context)
      assert.equal(await store.replace(note('a', 'one'), 'd41d8cd98f00b204e9800998ecf8427e'), 'changed')
      assert.equal(await store.head('a'), undefined)
      await store.put(note('a', 'one'))
      const etag = (await store.head('a'))?.etag ?? ''
      assert.equal(
        await store.replace({ key: 'a', body: '{"two":"ü"}', contentType: 'application/json' }, etag),
        'replaced',
      )
      const before = await store.head('a')
      assert.deepEqual([before?.contentType, before?.size], ['application/json', 12])
      assert.equal(await store.replace(note('a', 'three'), etag), 'changed')
      assert.deepEqual(await store.head('a'), before)
      assert.equal(await textOf(store, 'a'), '{"two":"ü"}')
    })

    test('of many replaces at once one wins', async (context) => {
      const { store } = await open(context)
      await store.put(note('a', 'one'))
      const etag = (await store.head('a'))?.etag ?? ''
      const bodies = Array.from({ length: 8 }, (_, index) => `body ${index}`)
      const ends = await Promise.all(bodies.map((body) => store.replace(note('a', body), etag)))
      assert.equal(ends.filter((end) => end === 'replaced').length, 1)
      assert.equal(await textOf(store, 'a'), bodies[ends.indexOf('replaced')])
    })

    test('remove removes one object, and is content when it is gone', async (context) => {
      const { store } = await open(context)
      for (const key of ['a', 'ab', 'a/b']) await store.put(note(key, key))
      await store.remove('a')
      assert.equal(await store.head('a'), undefined)
      await store.remove('a')
      await store.remove('never was')
      assert.equal(await textOf(store, 'ab'), 'ab')
      assert.equal(await textOf(store, 'a/b'), 'a/b')
      assert.equal(await store.create(note('a', 'again')), 'created')
    })

    test('removeVersion removes the pinned state, and leaves a newer one alone', async (context) => {
      const { store } = await open(context)
      await store.put(note('a', 'one'))
      await store.put(note('ab', 'one'))
      const etag = (await store.head('a'))?.etag ?? ''
      assert.notEqual(etag, '')
      await store.put(note('a', 'two'))
      for (const pin of [{ etag }, { etag: '' }]) await store.removeVersion('a', pin)
      assert.equal(await textOf(store, 'a'), 'two')
      await store.put(note('a', 'one'))
      await store.removeVersion('a', { etag })
      assert.equal(await store.head('a'), undefined)
      assert.equal(await textOf(store, 'ab'), 'one')
    })

    test('removeVersion is content when nothing is there', async (context) => {
      const { store } = await open(context)
      await store.removeVersion('never was', { etag: 'd41d8cd98f00b204e9800998ecf8427e' })
      assert.equal(await store.head('never was'), undefined)
    })

    for (const key of unusualKeys) {
      test(`keeps the key ${key} apart from others`, async (context) => {
        const { store } = await open(context)
        await store.put(note(key, key))
        assert.equal(await textOf(store, key), key)
        assert.equal((await store.head(key))?.key, key)
        assert.equal(await store.create(note(key, 'other')), 'exists')
        await store.remove(key)
        assert.equal(await store.head(key), undefined)
      })
    }

    test('answers a ping', async (context) => {
      const { store } = await open(context)
      await store.ping()
      await store.ping(AbortSignal.timeout(10_000))
    })

    for (const [call, make] of Object.entries(calls)) {
      test(`${call} in a bucket that does not exist is a fault of the set-up`, async (context) => {
        const { misplaced } = await open(context)
        await assert.rejects(make(misplaced), SetupError)
      })

      test(`${call} while nothing answers is an outage`, async (context) => {
        const { away } = await open(context)
        await assert.rejects(make(away), OutageError)
      })
    }
  })
}
