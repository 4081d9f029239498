import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { inspectImage } from '#shared/domain/images/inspect.ts'

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
