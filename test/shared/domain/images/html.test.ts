import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import fc from 'fast-check'

import { findSecondFormat } from '#shared/domain/images/polyglots.ts'
import { attributePlaces } from '#shared/domain/images/tags.ts'

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')
const character = fc.integer({ min: 0, max: 255 }).map((byte) => String.fromCharCode(byte))
const joined = (parts: fc.Arbitrary<string>, minLength: number, maxLength: number) =>
  fc.array(parts, { minLength, maxLength }).map((each) => each.join(''))

suite('an element that acts', () => {
  const find = (text: string) => findSecondFormat(latin1(`abcd${text}`), 'image/png')
  const page = { name: 'an HTML page', mediaType: 'text/html' }
  const white = joined(fc.constantFrom('\t', '\n', '\f', '\r', ' '), 0, 3)
  const letter = fc.constantFrom(...'abcxyzABCXYZ'.split(''))
  /** Any bytes but some; those that mean something in a tag come often. */
  const but = (excluded: string) =>
    fc.oneof(fc.constantFrom(...'\t\n\f\r />="\'<\0'.split('')), character).filter((each) => !excluded.includes(each))

  /** An attribute in each of the ways that there are to set one, and whatever a browser lets stand in it. */
  const attribute = fc
    .tuple(
      joined(but('\t\n\f\r />='), 1, 9),
      fc.oneof(
        fc.constant(' '),
        fc.constant('/'),
        joined(but('"'), 0, 600).map((value) => `="${value}"`),
        joined(but("'"), 0, 9).map((value) => `='${value}'`),
        fc.tuple(but('\t\n\f\r >"\''), joined(but('\t\n\f\r >'), 0, 9)).map((value) => `=${value.join('')} `),
      ),
    )
    .map((parts) => parts.join(''))
  const tag = fc
    .tuple(letter, joined(but('\t\n\f\r />'), 0, 60), fc.constantFrom('\t', ' ', '/'), joined(attribute, 0, 4))
    .map((parts) => `<${parts.join('')}`)
  const handler = fc
    .tuple(
      fc.constantFrom('onload', 'ONERROR', 'onPointerEnter', 'onended', 'oncontentvisibilityautostatechange'),
      white,
    )
    .map((parts) => `${parts.join('')}=`)

  test('by a handler is seen, whatever its name, its other attributes and the bytes before it', () => {
    fc.assert(
      fc.property(joined(character, 0, 100), tag, handler, (before, opened, set) => {
        assert.deepEqual(find(`${before}${opened}${set}`), { ...page, at: 4 + before.length + opened.length })
      }),
    )
  })

  test('by a handler is none where a browser reads no attribute', () => {
    for (const text of [
      'onload=',
      ' onload=',
      '<onload=',
      '<1 onload=',
      '</a onload=',
      '<a> onload=',
      '<a/> onload=',
      '<a b="> onload=',
      '<a b=" onload=">',
      "<a b=' onload='>",
      '<a b= " onload=">',
      "<a b='\" onload='>",
      '<a b=c/onload=',
      '<a b=c"onload=',
      '<a b=/onload=',
      '<a b=> onload=',
      '<a bonload=',
      '<a onxonload=',
      '<a "onload=',
      '<a onload',
      '<a onload >=',
      '<a onloa=',
      '<a xonload=',
      '<a online=',
      '<a once=',
      '<a on=',
      '<a onendx=',
      '<a on_load=',
      '<a onload\v=',
      '<a\vonload=',
      '<a\xa0onload=',
    ])
      assert.equal(find(text), undefined, text)
  })

  test('by a handler is one where only a browser reads an attribute', () => {
    for (const text of [
      '<a onload=',
      '<a\fonload=',
      '<a b onload=',
      '<a b  =">" onload=',
      '<a b="c"=" onload=',
      '<a b=c =" onload=',
      '<a b=c onload=',
      '<a b=c"d onload=',
      '<a b=">"onload=',
      "<a b='>'/onload=",
      '<a b = "<a>" onload=',
      '<a b== onload=',
      '<a b==" onload=',
      '<a =" onload=',
      '<a " onload=',
      '<a/=/onload=',
      '<a b c ="d" onload=',
      '<a\0 \x01 onload=',
      '<x:y onload=',
      '<a<b onload=',
      '<a"b onload=',
      '<a=b onload=',
      '<a b="<c onload=',
      `<a ${'b '.repeat(5000)}onload=`,
    ])
      assert.deepEqual(find(text), { ...page, at: 4 + text.lastIndexOf('onload=') }, text)
  })

  test('by its name is seen, however its name ends', () => {
    const ends = fc.constantFrom('\t', '\n', '\f', '\r', ' ', '/', '>')
    fc.assert(
      fc.property(fc.constantFrom('script', 'SCRIPT', 'iFrame'), ends, but('\t\n\f\r />'), (name, end, other) => {
        assert.deepEqual(find(`<${name}${end}`), { ...page, at: 4 })
        assert.equal(find(`<${name}${other}`), undefined)
        assert.equal(find(`<${name}`), undefined)
      }),
    )
  })

  test('because it brings in another page does so by an attribute of its own', () => {
    for (const name of ['object', 'EMBED', 'meta']) {
      for (const set of ['data="x"', 'SRC = x', 'HTTP-Equiv=refresh']) {
        for (const before of ['', 'a=b ', 'a="<>" ', '\0 ', "a='x'"])
          assert.deepEqual(find(`<${name} ${before}${set}`), { ...page, at: 4 }, `${name} ${before}${set}`)
        for (const text of [
          `<${name}>${set}`,
          `<${name}x ${set}`,
          `<${name}:x ${set}`,
          `<x${name} ${set}`,
          `<b ${set}`,
        ])
          assert.equal(find(`${text}<${name} a="b">`), undefined, text)
      }
    }
    assert.equal(find('<object database="x" source=y><meta http="z"><embed src>'), undefined)
  })

  test('is a page by its document type, or as one with text in it', () => {
    for (const text of ['<!doctype html', '<!DOCTYPE\n\tHTML>', '<html><body>', '<HTML\tlang=x'])
      assert.deepEqual(find(text), { ...page, at: 4 }, text)
    for (const text of ['<!doctype svg', '<!doctypehtml', '<html><b\0>', '<html5><body', '<html>', '<!doctype\0html'])
      assert.equal(find(text), undefined, text)
  })
})

suite('the tags of a text', () => {
  test('are followed all at once as each is alone', () => {
    const byte = fc.constantFrom(...latin1('<<a />="\'\n'))
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), (values) => {
        const bytes = Uint8Array.from(values)
        const together = attributePlaces(bytes, () => true)
        const alone = [...bytes.keys()].map((begin) => attributePlaces(bytes, (at) => at === begin))
        for (const at of bytes.keys()) {
          assert.equal(
            together[at] !== 0,
            alone.some((places) => places[at] !== 0),
            JSON.stringify([at, values]),
          )
        }
      }),
    )
  })
})
