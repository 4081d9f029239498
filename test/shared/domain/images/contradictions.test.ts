import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { inspectImage } from '#shared/domain/images/inspect.ts'
import {
  absurdDimensions,
  association,
  avifFile,
  box,
  extents,
  fileTypeBox,
  goodPhoto,
  gridImage,
  jpegSegment,
  metaBox,
  pngChunk,
  singleImage,
  uint32,
} from '../../../support/images.ts'

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

const assertBroken = (bytes: Buffer, detail: RegExp): void => {
  const inspection = inspectImage(bytes)
  assert.ok(inspection.kind === 'broken', `it is ${JSON.stringify(inspection)}`)
  assert.match(inspection.detail, detail)
}

const assertSize = (bytes: Buffer, width: number, height: number): void => {
  const inspection = inspectImage(bytes)
  assert.ok(inspection.kind === 'image', `it is ${JSON.stringify(inspection)}`)
  assert.deepEqual([inspection.width, inspection.height], [width, height])
}

const replace = (bytes: Buffer, at: number, ...values: number[]): Buffer => {
  const changed = Buffer.from(bytes)
  changed.set(values, at)
  return changed
}

suite('JPEG', async () => {
  const photo = await goodPhoto('image/jpeg')
  const padding = Buffer.alloc(16)

  test('a segment that is shorter than its own length field is broken', () => {
    assertBroken(
      Buffer.concat([latin1('\xff\xd8\xff\xe0\0\x01'), padding]),
      /the segment at byte 2 has the impossible length 1/,
    )
  })

  test('bytes between segments are broken', () => {
    assertBroken(
      Buffer.concat([photo.subarray(0, 2), jpegSegment(0xfe, latin1('note')), latin1('?'), photo]),
      /no marker at byte 10/,
    )
  })

  for (const [name, marker, detail] of [
    ['its scan', 0xda, /pixels begin before/],
    ['its end', 0xd9, /ends before/],
    ['another image', 0xd8, /second image begins/],
  ] as const) {
    test(`${name} before the frame header is broken`, () => {
      const segment = Buffer.concat([
        latin1('\xff\xd8'),
        jpegSegment(0xfe, latin1('x')),
        Buffer.from([0xff, marker]),
        padding,
      ])
      assertBroken(segment, detail)
    })
  }

  test('a frame header of the wrong length is broken', () => {
    const frameAt = photo.indexOf(latin1('\xff\xc0'))
    assertBroken(replace(photo, frameAt + 3, 18), /wrong length/)
  })

  test('each kind of frame is read, and tables among their markers are stepped over', () => {
    const file = absurdDimensions('image/jpeg', 300, 200)
    const frameAt = file.indexOf(latin1('\xff\xc0'))
    for (let marker = 0xc0; marker <= 0xcf; marker++) {
      const isFrame = ![0xc4, 0xc8, 0xcc].includes(marker)
      const inspection = inspectImage(Buffer.concat([replace(file, frameAt + 1, marker), padding]))
      assert.equal(inspection.kind, isFrame ? 'image' : 'broken', marker.toString(16))
    }
  })

  test('TEM and RST markers and empty segments are stepped over', () => {
    for (const marker of [0x01, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7]) {
      assertSize(Buffer.concat([latin1('\xff\xd8'), Buffer.from([0xff, marker]), photo.subarray(2)]), 64, 48)
    }
    assertSize(Buffer.concat([latin1('\xff\xd8\xff\xfe\0\x02'), photo.subarray(2)]), 64, 48)
  })

  test('the first EXIF counts, whatever other metadata follows it', () => {
    const exif = (orientation: string): Buffer =>
      jpegSegment(0xe1, latin1(`Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0${orientation}\0\0`))
    const other = jpegSegment(0xe1, latin1('http://ns.adobe.com/xap/1.0/\0'))
    const inspection = inspectImage(
      Buffer.concat([latin1('\xff\xd8'), exif('\x06'), other, exif('\x03'), photo.subarray(2)]),
    )
    assert.ok(inspection.kind === 'image')
    assert.equal(inspection.orientation, 6)
  })

  test('EXIF that is nonsense leaves its facts open', () => {
    for (const block of ['', 'XX*\0', 'II*\0\xff\xff\xff\xff', 'MM\0*\0\0\0\x08\xff\xff']) {
      const segment = jpegSegment(0xe1, latin1(`Exif\0\0${block}`))
      const inspection = inspectImage(Buffer.concat([latin1('\xff\xd8'), segment, photo.subarray(2)]))
      assert.ok(inspection.kind === 'image')
      assert.equal(inspection.orientation, undefined)
    }
  })
})

suite('PNG', () => {
  const file = absurdDimensions('image/png', 300, 200)
  const withHeader = (...format: number[]): Buffer => {
    const header = Buffer.concat([uint32(300), uint32(200), Buffer.from(format)])
    return Buffer.concat([file.subarray(0, 8), pngChunk('IHDR', header), file.subarray(33)])
  }

  test('a signature with converted line ends is broken', () => {
    assertBroken(Buffer.concat([latin1('\x89PNG\n\x1a\n'), file.subarray(8), Buffer.alloc(8)]), /transfer as text/)
  })

  test('an IHDR that is not first, of another length or with a wrong checksum is broken', () => {
    const other = Buffer.concat([file.subarray(0, 8), pngChunk('CgBI', Buffer.alloc(4)), file.subarray(8)])
    assertBroken(other, /first chunk is not IHDR/)
    assertBroken(replace(file, 11, 14), /does not have 13 bytes/)
    assertBroken(replace(file, 18, 9), /checksum is wrong/)
  })

  test('the colour types and bit depths of the standard are read, and no others', () => {
    const legal = [
      '0:1',
      '0:2',
      '0:4',
      '0:8',
      '0:16',
      '2:8',
      '2:16',
      '3:1',
      '3:2',
      '3:4',
      '3:8',
      '4:8',
      '4:16',
      '6:8',
      '6:16',
    ]
    for (let colourType = 0; colourType < 9; colourType++) {
      for (let bitDepth = 0; bitDepth < 34; bitDepth++) {
        const { kind } = inspectImage(withHeader(bitDepth, colourType, 0, 0, 0))
        assert.equal(
          kind,
          legal.includes(`${colourType}:${bitDepth}`) ? 'image' : 'broken',
          `${colourType}:${bitDepth}`,
        )
      }
    }
    assertBroken(withHeader(16, 3, 0, 0, 0), /colour type 3 does not go with 16 bits/)
    assertBroken(withHeader(8, 5, 0, 0, 0), /colour type 5 does not exist/)
  })

  test('a compression, filter or interlace that does not exist is broken', () => {
    assertSize(withHeader(8, 2, 0, 0, 1), 300, 200)
    for (const methods of [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 2],
    ])
      assertBroken(withHeader(8, 2, ...methods), /interlace/)
  })

  test('dimensions of 2^31 are broken', () => {
    assertBroken(absurdDimensions('image/png', 2 ** 31, 1), /2\^31/)
  })

  test('an animation control behind the pixels animates nothing', () => {
    const late = Buffer.concat([file.subarray(0, -12), pngChunk('acTL', Buffer.alloc(8)), file.subarray(-12)])
    assert.deepEqual(inspectImage(late), inspectImage(file))
  })
})

suite('WebP', async () => {
  const [lossy, lossless] = await Promise.all([
    goodPhoto('image/webp'),
    goodPhoto('image/webp').then((bytes) =>
      Buffer.concat([bytes.subarray(0, 12), latin1('VP8L\x05\0\0\0\x2f\0\0\0\0')]),
    ),
  ])

  test('a lossless stream has from one pixel to 16384 each way', () => {
    assertSize(lossless, 1, 1)
    assertSize(replace(lossless, 21, 0x01, 0x40), 2, 2)
    assertSize(replace(lossless, 21, 0xff, 0xff, 0xff, 0x0f), 16_384, 16_384)
  })

  test('a first chunk that the format does not know, or that is too short or too long, is broken', () => {
    assertBroken(replace(lossy, 12, 0x41), /first chunk is not VP8/)
    assertBroken(replace(lossy, 16, 4, 0), /only 4 bytes/)
    assertBroken(replace(lossy, 18, 1), /longer than the file/)
  })

  test('a frame that is no key frame, or without its signature, is broken', () => {
    assertBroken(replace(lossy, 20, (lossy[20] ?? 0) | 1), /key frame/)
    assertBroken(replace(lossy, 23, 0), /start code/)
    assertBroken(replace(lossless, 20, 0), /signature of VP8L/)
    assertBroken(replace(lossless, 24, 0x20), /version of VP8L/)
  })

  test('a lossy frame without width or height is broken', () => {
    assertBroken(replace(lossy, 26, 0, 0), /its width is 0/)
    assertBroken(replace(lossy, 28, 0, 0), /its height is 0/)
  })

  test('the bits of scaling are no part of the dimensions', () => {
    assertSize(replace(lossy, 27, 0xc0), 64, 48)
  })

  test('a canvas of 2^32 pixels is broken', () => {
    assertBroken(absurdDimensions('image/webp', 65_536, 65_536), /canvas/)
  })
})

suite('GIF', async () => {
  const photo = await goodPhoto('image/gif')

  test('a version that never was is broken', () => {
    assertBroken(replace(photo, 4, 0x38), /neither 87a nor 89a/)
  })

  test('version 87a is read', () => {
    assertSize(replace(photo, 4, 0x37), 64, 48)
  })
})

suite('AVIF', () => {
  const fileType = fileTypeBox('avif', 'mif1')
  const meta = metaBox(gridImage)
  /** The same box with its size in 64 bits. */
  const long = (short: Buffer): Buffer =>
    Buffer.concat([uint32(1), short.subarray(4, 8), uint32(0), uint32(short.length + 8), short.subarray(8)])

  test('boxes with a size of 64 bits are read', () => {
    assertSize(Buffer.concat([long(fileType), long(box('free', Buffer.alloc(9))), long(meta)]), 1000, 512)
  })

  test('a last box without a size is read', () => {
    assertSize(Buffer.concat([fileType, replace(meta, 0, 0, 0, 0, 0)]), 1000, 512)
  })

  test('dimensions behind the pixels are asked for', () => {
    const file = Buffer.concat([fileType, box('mdat', Buffer.alloc(100_000)), meta])
    const needed = fileType.length + 100_008 + 8
    assert.deepEqual(inspectImage(file.subarray(0, 65_536)), {
      kind: 'incomplete',
      type: 'image/avif',
      neededBytes: needed,
    })
    assertSize(file, 1000, 512)
  })

  test('nonsense among the boxes is broken', () => {
    assertBroken(Buffer.concat([fileType, uint32(7), latin1('meta')]), /box at byte 20 has the impossible size 7/)
    assertBroken(
      Buffer.concat([fileType, uint32(1), latin1('meta'), uint32(0xffff_ffff), uint32(0)]),
      /impossible size/,
    )
    assertBroken(Buffer.concat([fileType, uint32(0), latin1('mdat'), meta]), /it has no meta box/)
    assertBroken(Buffer.concat([fileType, replace(meta, 15, 0xff)]), /longer than the one around it/)
  })

  test('an item without dimensions, or none that is coded as AV1, is broken', () => {
    const { items, ...rest } = gridImage
    assertBroken(avifFile({ ...rest, items: items.slice(2) }), /not coded as AV1/)
    assertBroken(avifFile({ ...gridImage, associations: [association(1, 1)] }), /no dimensions/)
    assertBroken(avifFile({ ...gridImage, associations: [association(3, 0, 9)] }), /no dimensions/)
    assertBroken(avifFile({ ...gridImage, properties: [extents(1, 1), box('ispe')] }), /no dimensions/)
  })

  test('rotation and mirror are told as EXIF tells them', () => {
    const turn = (angle: number): Buffer => box('irot', Buffer.from([angle]))
    const mirror = (axis: number): Buffer => box('imir', Buffer.from([axis]))
    const orientation = (...turns: Buffer[]): number | undefined => {
      const inspection = inspectImage(avifFile(singleImage(9, 5, ...turns)))
      assert.ok(inspection.kind === 'image')
      return inspection.orientation
    }
    assert.equal(orientation(), undefined)
    assert.deepEqual(
      [0, 1, 2, 3].map((angle) => orientation(turn(angle))),
      [1, 8, 3, 6],
    )
    assert.deepEqual(
      [0, 1, 2, 3].map((angle) => orientation(turn(angle), mirror(0))),
      [4, 5, 2, 7],
    )
    assert.deepEqual(
      [0, 1, 2, 3].map((angle) => orientation(turn(angle), mirror(1))),
      [2, 7, 4, 5],
    )
    assert.equal(orientation(mirror(1)), 2)
  })
})
