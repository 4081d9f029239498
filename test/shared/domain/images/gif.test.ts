import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import sharp from 'sharp'

import { inspectImage } from '#shared/domain/images/inspect.ts'
import { goodPhoto } from '../../../support/images.ts'

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

/** A colour table whose bytes would be taken for blocks. */
const colourTable = (log2: number): Buffer => Buffer.alloc(3 * 2 ** log2, ',')
const screen = (flags = 0): Buffer => Buffer.concat([latin1('GIF89a\x09\0\x05\0'), Buffer.from([flags, 0, 0])])
const picture = (flags = 0, table: Buffer = Buffer.alloc(0)): Buffer =>
  Buffer.concat([latin1(',\0\0\0\0\x09\0\x05\0'), Buffer.from([flags]), table, latin1('\x08\x02,,\x01,\0')])
const extension = (label: string, ...subBlocks: string[]): Buffer =>
  latin1(`!${label}${subBlocks.map((block) => String.fromCharCode(block.length) + block).join('')}\0`)

const isAnimated = (...blocks: Buffer[]): boolean => {
  const inspection = inspectImage(Buffer.concat([...blocks, latin1(';')]))
  assert.ok(inspection.kind === 'image', `it is ${inspection.kind}`)
  return inspection.animated
}

suite('the animation of a GIF', () => {
  test('a second picture animates', () => {
    assert.equal(isAnimated(screen(), picture()), false)
    assert.equal(isAnimated(screen(), picture(), picture()), true)
  })

  test('a loop animates, also where only one picture was read', () => {
    assert.equal(isAnimated(screen(), extension('\xff', 'NETSCAPE2.0', '\x01\0\0')), true)
    assert.equal(isAnimated(screen(), extension('\xff', 'ANIMEXTS1.0', '\x01\0\0')), true)
    assert.equal(isAnimated(screen(), extension('\xff', 'XMP DataXMP', 'x'), picture()), false)
    assert.equal(isAnimated(screen(), extension('\xfe', 'NETSCAPE2.0'), picture()), false)
  })

  test('a picture that gives way after a time animates where more was not read, without a loop too', () => {
    const control = (delay: string) => extension('\xf9', `\0${delay}\0`)
    const animated = (...blocks: Buffer[]): boolean => {
      const inspection = inspectImage(Buffer.concat([screen(), ...blocks]))
      assert.ok(inspection.kind === 'image')
      return inspection.animated
    }
    for (const delay of ['\x05\0', '\0\x01']) {
      assert.equal(animated(control(delay), picture()), true)
      assert.equal(animated(control(delay), picture(), latin1(';')), false)
    }
    assert.equal(animated(control('\0\0'), picture()), false)
  })

  test('a loop of a single picture stands still where that is seen to be all', () => {
    const loop = extension('\xff', 'NETSCAPE2.0', '\x01\0\0')
    assert.equal(isAnimated(screen(), loop, picture()), false)
    assert.equal(isAnimated(screen(), loop, picture(), picture()), true)
    const cut = inspectImage(Buffer.concat([screen(), loop, picture()]))
    assert.ok(cut.kind === 'image')
    assert.equal(cut.animated, true)
  })

  test('colour tables, comments and pixels are stepped over', () => {
    for (let log2 = 1; log2 <= 8; log2++) {
      const flags = 0x80 | (log2 - 1)
      const blocks = [screen(flags), colourTable(log2), extension('\xfe', ',,,'), picture(flags, colourTable(log2))]
      assert.equal(isAnimated(...blocks), false)
      assert.equal(isAnimated(...blocks, picture()), true)
    }
  })

  test('without its flag the size of a colour table means nothing', () => {
    assert.equal(isAnimated(screen(0x07), picture(0x07), picture()), true)
  })

  test('what follows the trailer is not looked at', () => {
    assert.equal(isAnimated(screen(), picture(), latin1(';'), picture()), false)
  })
})

suite('the screen of a GIF', async () => {
  const photo = await goodPhoto('image/gif')
  const pictureAt = photo.indexOf(latin1(',\0\0\0\0'))
  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(photo)
    copy.writeUInt16LE(value, at)
    return copy
  }
  const sizeOf = (bytes: Buffer): [number, number] => {
    const inspection = inspectImage(bytes, bytes.length)
    assert.ok(inspection.kind === 'image', `it is ${JSON.stringify(inspection)}`)
    return [inspection.width, inspection.height]
  }

  for (const [what, at, value, size] of [
    ['is enlarged for a picture that is wider', 6, 10, [64, 48]],
    ['is enlarged for a picture that is higher', 8, 10, [64, 48]],
    ['is enlarged for a picture that hangs over', pictureAt + 1, 30, [94, 48]],
    ['is enlarged for a picture that hangs down', pictureAt + 3, 20, [64, 68]],
    ['stays as it is around a smaller picture', 6, 200, [200, 48]],
  ] as const) {
    test(`${what}, as a decoder does it`, async () => {
      const bytes = changed(at, value)
      const decoded = await sharp(bytes).metadata()
      assert.deepEqual(sizeOf(bytes), size)
      assert.deepEqual([decoded.width, decoded.height], size)
    })
  }

  test('counts pictures behind the first too', () => {
    const large = picture()
    large.writeUInt16LE(60_000, 5)
    assert.deepEqual(sizeOf(Buffer.concat([screen(), picture(), large, latin1(';')])), [60_000, 5])
  })

  test('stays as it is where a picture is only begun', () => {
    const length = pictureAt + 6
    assert.deepEqual(sizeOf(changed(6, 10).subarray(0, length)), [10, 48])
  })

  test('is broken without pixels, whatever stands on it', () => {
    for (const at of [6, 8]) assert.equal(inspectImage(changed(at, 0)).kind, 'broken')
  })
})
