import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { OutageError, RefusalError } from '#shared/ports/failures.ts'
import type { ObjectStore } from '#shared/ports/object-store.ts'
import { examineObject } from '../../../services/upload-watcher/examine.ts'
import { fakeObjectStore } from '../../support/fakes/object-store.ts'
import {
  absurdDimensions,
  avifFile,
  box,
  goodPhoto,
  jpegSegment,
  singleImage,
  truncatedHeader,
} from '../../support/images.ts'
import { withMetadata } from '../../support/second-formats.ts'

const signal = new AbortController().signal

/** A store that tells what was read of it. */
const open = () => {
  const { store, upload } = fakeObjectStore()
  const reads: { maxBytes: number; pin: unknown }[] = []
  const watched: ObjectStore = {
    ...store,
    readStart: (key, maxBytes, options) => {
      reads.push({ maxBytes, pin: options?.pin })
      return store.readStart(key, maxBytes, options)
    },
  }
  const examine = (pin = {}) => examineObject(watched, 'a', { pin, signal })
  return { upload, reads, examine, store: watched }
}

/** A JPEG whose frame begins behind `fillerBytes` of other segments. */
const longHeader = (fillerBytes: number, width: number, height: number) => {
  const whole = absurdDimensions('image/jpeg', width, height)
  const segment = jpegSegment(0xef, Buffer.alloc(65_533))
  const fillers = Array.from({ length: Math.ceil(fillerBytes / segment.length) }, () => segment)
  return Buffer.concat([whole.subarray(0, 2), ...fillers, whole.subarray(2)])
}

suite('the look at an object', () => {
  test('takes one read when the first 64 KB tell its dimensions', async () => {
    const { upload, reads, examine } = open()
    const photo = Buffer.concat([await goodPhoto('image/jpeg'), Buffer.alloc(100_000)])
    const object = upload({ key: 'a', bytes: photo, contentType: 'image/jpeg' })
    const facts = await examine()
    assert.deepEqual(facts?.object, object)
    assert.ok(facts.inspection.kind === 'image' && facts.inspection.width === 64)
    assert.deepEqual([reads, facts.bytesRead], [[{ maxBytes: 65_536, pin: {} }], 65_536])
  })

  test('takes a second, pinned read when they lie further back', async () => {
    const { upload, reads, examine } = open()
    const { etag } = upload({ key: 'a', bytes: longHeader(130_000, 640, 480), versionId: 'v1' })
    const facts = await examine({ versionId: 'v1' })
    assert.ok(facts?.inspection.kind === 'image' && facts.inspection.width === 640)
    assert.deepEqual(reads, [
      { maxBytes: 65_536, pin: { versionId: 'v1' } },
      { maxBytes: 1_048_576, pin: { versionId: 'v1', etag } },
    ])
  })

  test('knows the size of what it has not read: a WebP that was cut off is broken', async () => {
    const { upload, examine } = open()
    upload({ key: 'a', bytes: (await goodPhoto('image/webp')).subarray(0, -1) })
    assert.equal((await examine())?.inspection.kind, 'broken')
  })

  test('looks no further than 1 MiB', async () => {
    const { upload, reads, examine } = open()
    upload({ key: 'a', bytes: longHeader(1_100_000, 640, 480) })
    const facts = await examine()
    assert.ok(facts)
    assert.equal(facts.inspection.kind, 'incomplete')
    assert.deepEqual([facts.bytesRead, reads.length], [1_048_576, 2])
  })

  for (const [what, bytes] of [
    ['an empty object', new Uint8Array()],
    ['a header that the file cuts off', truncatedHeader('image/jpeg')],
    ['no image', Buffer.from('hello')],
  ] as const) {
    test(`takes one read for ${what}`, async () => {
      const { upload, reads, examine } = open()
      upload({ key: 'a', bytes })
      assert.equal((await examine())?.bytesRead, bytes.length)
      assert.equal(reads.length, 1)
    })
  }

  test('finds nothing where nothing is, or where another version is', async () => {
    const { upload, examine } = open()
    assert.equal(await examine(), undefined)
    upload({ key: 'a', bytes: Buffer.from('x'), versionId: 'v2' })
    assert.equal(await examine({ versionId: 'v1' }), undefined)
  })

  test('finds nothing when the object is replaced between its two reads', async () => {
    const { upload, store } = open()
    upload({ key: 'a', bytes: longHeader(130_000, 640, 480) })
    const readThenReplace: ObjectStore['readStart'] = async (...parameters) => {
      const start = await store.readStart(...parameters)
      upload({ key: 'a', bytes: longHeader(130_000, 10, 10) })
      return start
    }
    assert.equal(await examineObject({ ...store, readStart: readThenReplace }, 'a', { pin: {}, signal }), undefined)
  })
})

suite('a second read', async () => {
  const avif = avifFile(singleImage(640, 480))
  const fileTypeBytes = avif.readUInt32BE()
  const padded = box('free', Buffer.alloc(100_000))
  const late = Buffer.concat([avif.subarray(0, fileTypeBytes), padded, avif.subarray(fileTypeBytes)])

  for (const [type, bytes, reads] of [
    ['image/jpeg', longHeader(130_000, 640, 480), 2],
    ['image/avif', late, 2],
    ['image/png', withMetadata('image/png', await goodPhoto('image/png'), Buffer.alloc(130_000)), 1],
    ['image/webp', withMetadata('image/webp', await goodPhoto('image/webp'), Buffer.alloc(130_000)), 1],
    ['image/gif', Buffer.concat([await goodPhoto('image/gif'), Buffer.alloc(130_000)]), 1],
  ] as const) {
    test(`is ${reads === 2 ? '' : 'not '}taken for a long header of ${type}`, async () => {
      const { upload, reads: taken, examine } = open()
      upload({ key: 'a', bytes })
      assert.equal((await examine())?.inspection.kind, 'image')
      assert.equal(taken.length, reads)
    })
  }

  test('looks for a second format in all that it brings', async () => {
    const { upload, examine } = open()
    const bytes = Buffer.concat([longHeader(130_000, 640, 480), Buffer.from('<script>alert(1)</script>')])
    upload({ key: 'a', bytes })
    const facts = await examine()
    assert.ok(facts?.inspection.kind === 'polyglot')
    assert.equal(facts.inspection.at, bytes.length - 25)
  })
})

suite('what a store may do wrong', () => {
  /** Settles as the store's answers do; `after` reads are answered, and the next never. */
  const stalled = (after: number) => {
    const { upload, store } = open()
    upload({ key: 'a', bytes: longHeader(130_000, 640, 480) })
    const signals: (AbortSignal | undefined)[] = []
    const readStart: ObjectStore['readStart'] = (key, maxBytes, options) => {
      signals.push(options?.signal)
      return signals.length > after ? new Promise(() => undefined) : store.readStart(key, maxBytes, options)
    }
    return { store: { ...store, readStart }, signals }
  }

  for (const after of [0, 1]) {
    test(`an answer that never ends is an outage (read ${after + 1})`, async () => {
      const { store, signals } = stalled(after)
      const look = examineObject(store, 'a', { pin: {}, signal, maxMs: 5 })
      await assert.rejects(look, (error) => error instanceof OutageError && /5 ms/.test(error.message))
      assert.deepEqual(
        signals.map((each) => each?.aborted),
        Array.from({ length: after + 1 }, () => true),
      )
    })
  }

  test('a deadline ends the wait with its own reason, before it began too', async () => {
    const deadline = new AbortController()
    const { store, signals } = stalled(0)
    const look = examineObject(store, 'a', { pin: {}, signal: deadline.signal })
    deadline.abort(new Error('enough'))
    await assert.rejects(look, /enough/)
    await assert.rejects(async () => examineObject(store, 'a', { pin: {}, signal: deadline.signal }), /enough/)
    assert.equal(signals.length, 1)
  })

  test("a store's own error is passed on, and nothing is left behind", async () => {
    const { store } = open()
    const readStart = () => Promise.reject(new RefusalError('no'))
    await assert.rejects(examineObject({ ...store, readStart }, 'a', { pin: {}, signal }), RefusalError)
  })

  test('fewer bytes than there are make no verdict', async () => {
    const { upload, store } = open()
    upload({ key: 'a', bytes: await goodPhoto('image/jpeg', { width: 640, height: 480 }) })
    const readStart: ObjectStore['readStart'] = async (...parameters) => {
      const start = await store.readStart(...parameters)
      return start && { ...start, bytes: start.bytes.subarray(0, 20) }
    }
    await assert.rejects(examineObject({ ...store, readStart }, 'a', { pin: {}, signal }), /gave 20 of the first/)
  })
})
