import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import fc from 'fast-check'

import { imageTypes } from '#shared/domain/images/image-types.ts'
import { inspectImage, type Inspection } from '#shared/domain/images/inspect.ts'
import { absurdDimensions, imageSamples, type ImageSample } from '../../../support/images.ts'
import { hiddenFormats, leadingFormats } from '../../../support/second-formats.ts'

const samples = await imageSamples()
const anySample = fc.constantFrom(...samples)

/** Enough to tell the type of every sample: until then a file may be unknown. The longest is an `ftyp` box. */
const recognisableBytes = 24

const isDimension = (value: number): boolean => Number.isSafeInteger(value) && value > 0

const assertWellFormed = (inspection: Inspection, length: number): void => {
  switch (inspection.kind) {
    case 'image':
      assert.ok(imageTypes.includes(inspection.type))
      assert.ok(isDimension(inspection.width) && isDimension(inspection.height))
      assert.ok(inspection.orientation === undefined || (inspection.orientation >= 1 && inspection.orientation <= 8))
      return
    case 'incomplete':
      assert.ok(Number.isSafeInteger(inspection.neededBytes) && inspection.neededBytes > length)
      return
    case 'broken':
      assert.match(inspection.detail, /^[\x20-\x7e]+$/)
      return
    case 'polyglot':
      assert.ok(inspection.at >= 0 && inspection.at < length)
      return
    case 'other':
      assert.notEqual(inspection.name, '')
      return
    case 'unknown':
      return
  }
}

const inspectWellFormed = (bytes: Uint8Array): Inspection => {
  const inspection = inspectImage(bytes)
  assertWellFormed(inspection, bytes.length)
  return inspection
}

const assertDimensions = (inspection: Inspection, { name, type, width, height }: ImageSample): void => {
  assert.ok(inspection.kind === 'image', `${name} is ${inspection.kind}`)
  assert.deepEqual([inspection.type, inspection.width, inspection.height], [type, width, height], name)
}

suite('any bytes', () => {
  test('random bytes have a well-formed answer', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void inspectWellFormed(bytes)))
  })

  test('random bytes behind the beginning of an image have a well-formed answer', () => {
    const bytes = fc.uint8Array({ maxLength: 300, size: 'max' })
    fc.assert(
      fc.property(anySample, fc.nat(300), bytes, (sample, cutAt, tail) => {
        inspectWellFormed(Buffer.concat([sample.bytes.subarray(0, cutAt), tail]))
      }),
      { numRuns: 2000 },
    )
  })

  test('flipped bits have a well-formed answer', () => {
    const flips = fc.array(fc.record({ at: fc.nat(1500), bit: fc.nat(7) }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(anySample, flips, (sample, chosen) => {
        const bytes = Buffer.from(sample.bytes.subarray(0, 1500))
        for (const { at, bit } of chosen) bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << bit)
        inspectWellFormed(bytes)
      }),
      { numRuns: 5000 },
    )
  })

  test('every single flipped bit of every small sample has a well-formed answer', () => {
    for (const sample of samples.filter(({ bytes }) => bytes.length < 400)) {
      const bytes = Buffer.from(sample.bytes)
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flip = (): void => void (bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) ^ (1 << (bit & 7)))
        flip()
        inspectWellFormed(bytes)
        flip()
      }
    }
  })
})

suite('bytes with a second format', async () => {
  const polyglots = [...(await leadingFormats()), ...(await hiddenFormats(imageTypes))]

  test('have a well-formed answer wherever they are cut', () => {
    for (const { bytes } of polyglots) {
      const end = Math.min(bytes.length, 600)
      for (let length = 0; length <= end; length++) inspectWellFormed(bytes.subarray(0, length))
    }
  })

  test('are what they are, also as a view into a larger buffer', () => {
    for (const { name, bytes } of polyglots) {
      const around = Buffer.concat([Buffer.alloc(13, '<'), bytes, Buffer.alloc(13, '<')])
      const view = new Uint8Array(around.buffer, around.byteOffset + 13, bytes.length)
      assert.deepEqual(inspectImage(view), inspectImage(bytes), name)
    }
  })
})

suite('truncations', () => {
  for (const sample of samples) {
    test(`${sample.name} is incomplete until it has its dimensions, and then right`, () => {
      const end = Math.min(sample.bytes.length, 2000)
      for (let length = 0; length <= end; length++) assertTruncation(sample, length)
      assertDimensions(inspectWellFormed(sample.bytes), sample)
    })
  }

  const assertTruncation = (sample: ImageSample, length: number): void => {
    const inspection = inspectWellFormed(sample.bytes.subarray(0, length))
    if (inspection.kind === 'unknown' && length < recognisableBytes) return
    if (inspection.kind !== 'incomplete') {
      assertDimensions(inspection, sample)
      return
    }
    assert.equal(inspection.type, sample.type)
    assert.ok(inspection.neededBytes <= sample.bytes.length, `${sample.name} at ${length} asks for more than there is`)
  }

  test('fewer bytes than were asked for are never enough', () => {
    fc.assert(
      fc.property(anySample, fc.nat(1500), fc.nat(), (sample, cutAt, choice) => {
        const { length } = sample.bytes.subarray(0, cutAt)
        const first = inspectImage(sample.bytes.subarray(0, length))
        if (first.kind !== 'incomplete') return
        const fewer = length + (choice % (first.neededBytes - length))
        assert.equal(inspectImage(sample.bytes.subarray(0, fewer)).kind, 'incomplete')
      }),
      { numRuns: 2000 },
    )
  })

  test('reading what is asked for leads to the same dimensions within 10 steps', () => {
    const maxSteps = 10
    for (const sample of samples) {
      let length = recognisableBytes
      for (let step = 0; ; step++) {
        assert.ok(step <= maxSteps, sample.name)
        const inspection = inspectImage(sample.bytes.subarray(0, length))
        if (inspection.kind !== 'incomplete') {
          assertDimensions(inspection, sample)
          break
        }
        length = inspection.neededBytes
      }
    }
  })
})

suite('work', () => {
  /** Far more than a megabyte takes on a slow machine, and far less than any work that is not linear. */
  const maxMs = 1000
  const megabyte = 1 << 20
  const repeat = (pattern: string, prefix = ''): Buffer =>
    Buffer.concat([Buffer.from(prefix, 'latin1'), Buffer.alloc(megabyte, pattern, 'latin1')])
  const tinyGif = 'GIF89a\x01\0\x01\0\0\0\0'
  const hostile: [string, Buffer][] = [
    ['fill bytes of a JPEG', repeat('\xff', '\xff\xd8')],
    ['empty segments of a JPEG', repeat('\xff\xe1\0\x02', '\xff\xd8')],
    ['restart markers of a JPEG', repeat('\xff\xd0', '\xff\xd8')],
    ['empty chunks of a PNG', Buffer.concat([samplePng(), Buffer.alloc(megabyte)])],
    ['metadata chunks of a PNG', Buffer.concat([samplePng(), repeat('\0\0\0\0eXIf\0\0\0\0')])],
    ['empty chunks of a WebP', repeat('abcd\0\0\0\0', 'RIFF\xff\xff\xff\x7fWEBPVP8X\x0a\0\0\0\x08\0\0\0\0\0\0\0\0\0')],
    ['one-byte blocks of a GIF', repeat('\x01', 'GIF89a\x01\0\x01\0\0\0\0!\xfe')],
    ['empty extensions of a GIF', repeat('!\xfe\0', 'GIF89a\x01\0\x01\0\0\0\0')],
    ['brands of an AVIF', repeat('mif1', '\0\x10\0\0ftypmif1\0\0\0\0')],
    ['empty boxes of an AVIF', repeat('\0\0\0\x08free', '\0\0\0\x10ftypavif\0\0\0\0')],
    ['segments behind the frame of a JPEG', Buffer.concat([sampleFrame(), repeat('\xff\xe1\0\x02')])],
    ['fill bytes behind the frame of a JPEG', Buffer.concat([sampleFrame(), repeat('\xff')])],
    ['pictures of a GIF', repeat(',\0\0\0\0\xff\xff\xff\xff\0\x02\0', tinyGif)],
    ['tags', repeat('<a ', tinyGif)],
    ['a tag without end', repeat('a ', `${tinyGif}<a `)],
    ['handlers that are none', repeat('<a onloa', tinyGif)],
    ['short tags of PHP', repeat('<?=', tinyGif)],
    ['document types', repeat('<!doctype        ', tinyGif)],
    ['values', repeat(`="      "`, tinyGif)],
    [
      'ZIP records that are none',
      repeat(`PK\x03\x04\x14\0\0\0\0\0${'\0'.repeat(16)}\0\x04\0\0${'x'.repeat(500)}\0`, tinyGif),
    ],
    ['ends of a comment', repeat('*/', 'GIF89a/*\x01\0\0\0\0')],
    ['white space', repeat(' ')],
    ['comments', repeat('<!-- -->')],
  ]
  for (const [name, bytes] of hostile) {
    test(`a megabyte of ${name} is answered at once`, () => {
      const startedAt = performance.now()
      inspectWellFormed(bytes)
      assert.ok(performance.now() - startedAt < maxMs)
    })
  }
})

function samplePng(): Buffer {
  const png = samples.find(({ type }) => type === 'image/png')
  assert.ok(png)
  return png.bytes.subarray(0, 33)
}

/** A JPEG up to the end of its frame header. */
function sampleFrame(): Buffer {
  const file = absurdDimensions('image/jpeg', 9, 9)
  return file.subarray(0, file.length - 2)
}
