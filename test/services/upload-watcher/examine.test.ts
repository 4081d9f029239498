import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import type { ObjectStore } from '#shared/ports/object-store.ts'
import { examineObject } from '../../../services/upload-watcher/examine.ts'
import { fakeObjectStore } from '../../support/fakes/object-store.ts'
import { absurdDimensions, goodPhoto, jpegSegment, truncatedHeader } from '../../support/images.ts'

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
