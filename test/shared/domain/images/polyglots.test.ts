import assert from 'node:assert/strict'
import { createCipheriv, createHash } from 'node:crypto'
import { suite, test } from 'node:test'

import fc from 'fast-check'
import sharp from 'sharp'

import { imageTypes, type ImageType } from '#shared/domain/images/image-types.ts'
import { inspectImage } from '#shared/domain/images/inspect.ts'
import { findSecondFormat } from '#shared/domain/images/polyglots.ts'
import { absurdDimensions, goodPhoto, imageSamples, jpegSegment } from '../../../support/images.ts'
import { innocentMetadata, innocentTrailers, xmpPacket } from '../../../support/innocent-metadata.ts'
import { chosenSeed } from '../../../support/random.ts'
import { hiddenFormats, leadingFormats, withMetadata, zipParts } from '../../../support/second-formats.ts'

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

const assertImage = (bytes: Buffer, type: ImageType, name: string): void => {
  const inspection = inspectImage(bytes, bytes.length)
  assert.equal(inspection.kind, 'image', `${type}, ${name}: ${JSON.stringify(inspection)}`)
}

suite('an image that is something else too', async () => {
  for (const { name, type, bytes, second } of [...(await leadingFormats()), ...(await hiddenFormats(imageTypes))]) {
    test(`${type} with ${name} is seen to be ${second}`, () => {
      const inspection = inspectImage(bytes, bytes.length)
      assert.ok(inspection.kind === 'polyglot', `it is ${JSON.stringify(inspection)}`)
      assert.deepEqual([inspection.type, inspection.name], [type, second])
      assert.ok(inspection.at > 0 && inspection.at < bytes.length)
    })
  }

  test('the byte is named at which the second format shows', async () => {
    const photo = await goodPhoto('image/png')
    const inspection = inspectImage(Buffer.concat([photo, latin1('..<script>')]))
    assert.ok(inspection.kind === 'polyglot')
    assert.equal(inspection.at, photo.length + 2)
  })

  test('a PDF header near the beginning needs no version, further back it does', () => {
    const behind = (fillBytes: number, text: string) =>
      findSecondFormat(Buffer.concat([Buffer.alloc(fillBytes), latin1(text)]), 'image/png')?.name
    assert.equal(behind(1024, '%PDF-'), 'a PDF')
    assert.equal(behind(1025, '%PDF-'), undefined)
    for (const text of ['%PDF-1.4', '%PDF-2.0']) assert.equal(behind(60_000, text), 'a PDF')
    for (const text of ['%PDF-3.0', '%PDF-1.', '%PDF-1,4']) assert.equal(behind(60_000, text), undefined)
  })

  test('what no browser can take for an image is called broken, whatever else it is', () => {
    const inspection = inspectImage(Buffer.concat([absurdDimensions('image/jpeg', 0, 9), latin1('<script>')]))
    assert.equal(inspection.kind, 'broken')
  })
})

suite('the search for a second format', () => {
  /** By patterns that try every division of a run, each of these would take hours. */
  const runs = [
    '= ',
    '<!doctype ',
    '<a ',
    '<a',
    '<object ',
    '<a onload',
    ' onload=',
    ' javascript:',
    '<?=\0',
    't:',
    '//',
    ' onload',
    '<a b="',
  ]
  for (const text of runs) {
    test(`reads a megabyte of ${JSON.stringify(text)} in a moment`, () => {
      const [first, last] = [text.slice(0, -1), text.slice(-1)]
      for (const file of [first + last.repeat(1 << 20), text.repeat((1 << 20) / text.length)])
        assert.equal(findSecondFormat(latin1(`abcd${file}`), 'image/png'), undefined)
    })
  }

  test('takes a GIF for a script by sixteen characters of text behind its name', () => {
    const find = (text: string) => findSecondFormat(latin1(`GIF89a${text}`), 'image/gif')?.name
    for (const text of ['=1;alert(document', '\t\n\r =1;alert(1)//']) {
      assert.equal(find(text.slice(0, 16)), 'a script', text)
      assert.equal(find(text.slice(0, 15)), undefined, text)
      for (const other of ['\0', '\x7f', '\xe9'])
        assert.equal(find(`${text.slice(0, 15)}${other}${text}`), undefined, text)
    }
  })

  test('sees a link of JavaScript with or without a quote, and with spaces on both sides of it', () => {
    const find = (text: string) => findSecondFormat(latin1(`abcd${text}`), 'image/png')?.name
    for (const link of ['=javascript:', '="javascript:', "= ' JavaScript:", '=\n\t"\r VBSCRIPT:'])
      assert.equal(find(`<a href${link}x`), 'an HTML page', link)
    for (const text of ['javascript:', '="java script:', '=""javascript:', '=xjavascript:', '="livescript:'])
      assert.equal(find(text), undefined, text)
  })
})

suite('an archive', () => {
  const find = (text: string) => findSecondFormat(latin1(text), 'image/png')?.name

  test('by tar is one by either signature at its place, and nowhere else', () => {
    for (const signature of ['ustar\x0000', 'ustar  \0']) {
      assert.equal(find(`${'x'.repeat(257)}${signature}`), 'a tar archive', signature)
      for (const at of [256, 258, 769]) assert.equal(find(`${'x'.repeat(at)}${signature}`), undefined, signature)
    }
  })

  test('is not known by less than its signature', () => {
    for (const text of [
      'Rar!\x1a\x07',
      'Rar!\x1a\x07\x02\0',
      '7z\xbc\xaf\x27\x1c\x01',
      'PK\x03\x04',
      '__HALT_COMPILER;',
    ])
      assert.equal(find(`abcd${text}`), undefined, text)
  })
})

suite('PHP', () => {
  const find = (text: string) => findSecondFormat(latin1(`abcd${text}\xff`), 'image/png')?.name

  test('is code behind an opening tag, with comments of whatever bytes', () => {
    for (const text of [
      '<?php x;',
      '<?PHP\n//',
      '<?php\t/*',
      '<?=$a;1?>',
      `<?=${'a'.repeat(20)}`,
      '<?=$a<1?eval(f(0)):0;/*',
    ])
      assert.equal(find(text), 'a PHP script', text)
  })

  test('is no tag without code', () => {
    for (const text of [
      '<?php',
      '<?php x',
      '<?phpxxxx',
      '<?php \0x',
      '<?xml version="1.0"?>',
      '<?=$a?>',
      `<?=${'a'.repeat(19)}`,
    ])
      assert.equal(find(text), undefined, text)
  })
})

suite('what is rightly in an image', () => {
  for (const [name, content] of innocentMetadata) {
    test(`${name} is no second format`, async () => {
      for (const type of imageTypes.filter((each) => each !== 'image/gif' || content.length <= 510)) {
        assertImage(withMetadata(type, await goodPhoto(type), content), type, name)
      }
    })
  }

  test('what cameras put behind their pixels is no second format', async () => {
    for (const type of imageTypes) {
      const photo = await goodPhoto(type)
      for (const [name, trailer] of innocentTrailers(photo)) assertImage(Buffer.concat([photo, trailer]), type, name)
    }
  })

  test('samples of all types, with profiles, XMP and EXIF too, are no polyglots', async () => {
    for (const { name, type, bytes } of await imageSamples()) assertImage(bytes, type, name)
    const exif = { IFD0: { Copyright: 'A <b>', ImageDescription: 'on error = <i>none</i>', Software: 'PK 7z' } }
    const rich = sharp(await goodPhoto('image/png'))
      .withIccProfile('p3')
      .withXmp(xmpPacket)
      .withExifMerge(exif)
    assertImage(await rich.clone().jpeg().toBuffer(), 'image/jpeg', 'rich')
    assertImage(await rich.clone().png().toBuffer(), 'image/png', 'rich')
    assertImage(await rich.clone().webp().toBuffer(), 'image/webp', 'rich')
    assertImage(await rich.clone().avif({ effort: 0 }).toBuffer(), 'image/avif', 'rich')
  })

  test('a length that is the beginning of a comment is no script', () => {
    const [comment, line] = ['/*', '//'].map((text) => latin1(text))
    assert.ok(comment && line)
    for (const text of [comment, line]) {
      assertImage(absurdDimensions('image/gif', text.readUInt16LE(), 9), 'image/gif', text.toString())
      const photo = absurdDimensions('image/jpeg', 64, 48)
      const segment = jpegSegment(0xe1, Buffer.alloc(text.readUInt16BE() - 2, `${xmpPacket}\n`))
      assertImage(Buffer.concat([photo.subarray(0, 2), segment, photo.subarray(2)]), 'image/jpeg', text.toString())
    }
  })

  test('pixels that were not compressed are no second format', async () => {
    const ramp = Buffer.from(Array.from({ length: 256 * 256 * 3 }, (_, at) => at & 0xff))
    const picture = sharp(ramp, { raw: { width: 256, height: 256, channels: 3 } })
    assertImage(await picture.png({ compressionLevel: 0 }).toBuffer(), 'image/png', 'a ramp')
  })
})

suite('chance', () => {
  /** Random bytes that a seed brings back. */
  const randomBytes = (seed: number, length: number): Buffer => {
    const key = createHash('sha256').update(String(seed)).digest().subarray(0, 16)
    return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
  }
  const megabyte = 1 << 20

  test('64 MB of random bytes show no second format', (context) => {
    const seed = chosenSeed()
    context.diagnostic(`SEED=${seed}`)
    const bytes = randomBytes(seed, 64 * megabyte)
    for (let at = 0; at < bytes.length; at += megabyte) {
      for (const type of ['image/jpeg', 'image/gif'] as const) {
        assert.equal(findSecondFormat(bytes.subarray(at, at + megabyte), type), undefined)
      }
    }
  })

  test('random bytes behind the signature of a ZIP record are no record', (context) => {
    const seed = chosenSeed()
    context.diagnostic(`SEED=${seed}`)
    const bytes = randomBytes(seed, 8 * megabyte)
    for (let at = 0; at < bytes.length; at += 64) bytes.write(['PK\x03\x04', 'PK\x01\x02'][(at >> 6) & 1] ?? '', at)
    // Of 131072 records one in 2^26 passes by chance.
    assert.equal(findSecondFormat(bytes, 'image/png'), undefined)
  })

  test('images of noise, in all types, are no polyglots', async (context) => {
    const seed = chosenSeed()
    context.diagnostic(`SEED=${seed}`)
    const noise = randomBytes(seed, 400 * 300 * 3)
    const picture = sharp(noise, { raw: { width: 400, height: 300, channels: 3 } })
    for (const type of ['jpeg', 'png', 'webp', 'gif', 'avif'] as const) {
      const bytes = await picture.toFormat(type, type === 'avif' ? { effort: 0 } : {}).toBuffer()
      assert.ok(bytes.length > 30_000, type)
      assertImage(bytes, `image/${type}`, 'noise')
    }
  })

  test('a ZIP archive is seen wherever it stands', () => {
    const { whole } = zipParts('word/document.xml', '<w:document/>')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (before, after) => {
        const found = findSecondFormat(Buffer.concat([before, whole, after]), 'image/png')
        assert.deepEqual([found?.name, found?.at], ['a ZIP archive', before.length])
      }),
    )
  })
})
