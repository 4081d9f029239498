import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { inspectImage } from '#shared/domain/images/inspect.ts'
import { fileTypeBox } from '../../../support/images.ts'

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

const nameOf = (bytes: Buffer): string => {
  const inspection = inspectImage(bytes, bytes.length)
  return inspection.kind === 'other' ? inspection.name : inspection.kind
}

suite('the names of what is none of our types', () => {
  /** As encoders, archivers and compilers begin them. */
  const beginnings: [name: string, bytes: string][] = [
    ['a tar archive', `notes.txt${'\0'.repeat(91)}0000644\0${'\0'.repeat(149)}ustar\x0000`],
    ['an LZ4 archive', '\x04\x22\x4d\x18\x64\x40\xa7'],
    ['a CAB archive', 'MSCF\0\0\0\0\x50\x01\0\0'],
    ['a Unix archive', '!<arch>\ndebian-binary   1700000000  0     0     100644  4         `\n2.0\n'],
    ['an RPM package', '\xed\xab\xee\xdb\x03\0\0\0'],
    ['a QuickTime video', '\0\0\x01\0moov\0\0\0\x6cmvhd'],
    ['a QuickTime video', '\0\0\0\x08wide\0\x01\0\0mdat'],
    ['a JPEG XR image', 'II\xbc\x01\x20\0\0\0'],
    ['an Olympus raw image', 'IIRO\x08\0\0\0'],
    ['a Panasonic raw image', 'IIU\0\x18\0\0\0'],
    ['a Fujifilm raw image', 'FUJIFILMCCD-RAW 0201FF383501X-T4'],
    ['a GIMP image', 'gimp xcf v011\0\0\0\0\x40'],
    ['a Radiance image', '#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 30 +X 40\n'],
    ['a FITS image', `SIMPLE  =                    T${' '.repeat(50)}BITPIX  =`],
    ['an OpenEXR image', 'v/1\x01\x02\0\0\0channels\0chlist\0'],
    ['a QOI image', 'qoif\0\0\0\x40\0\0\0\x40\x03\0'],
    ['a DirectDraw surface', 'DDS \x7c\0\0\0\x07\x10\x08\0'],
    ['an MNG animation', '\x8aMNG\r\n\x1a\n\0\0\0\x1cMHDR'],
    ['a DjVu document', 'AT&TFORM\0\0\x01\0DJVUINFO'],
    ['a Windows metafile', '\xd7\xcd\xc6\x9a\0\0'],
    ['a Windows metafile', `\x01\0\0\0\x6c\0\0\0${'\0'.repeat(32)} EMF`],
    ['a DICOM image', `${'\0'.repeat(128)}DICM\x02\0\0\0UL`],
    ['a PostScript file', '\xc5\xd0\xd3\xc6\x20\0\0\0'],
    ['an Apple icon', 'icns\0\0\x12\x34ic07'],
    ['a PNM image', 'P6\n40 30\n255\n\0\x01\x02'],
    ['an AMR sound', '#!AMR\n\x3c\x08\0'],
    ['an MP3 sound', '\xff\xfb\x90\x44\0\0\0\0'],
    ['an AAC sound', '\xff\xf1\x50\x80\x02\x1f\xfc'],
    ['a Flash video', 'FLV\x01\x01\0\0\0\x09'],
    ['a Windows Media file', '\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9'],
    ['an MPEG video', '\0\0\x01\xba\x44\0\x04\0'],
    ['an MPEG video', `G\x40\x11\x10${'\0'.repeat(184)}`.repeat(3)],
    ['an Android executable', 'dex\n035\0\x12\x34'],
    ['a Windows shortcut', 'L\0\0\0\x01\x14\x02\0\0\0'],
  ]
  for (const [name, bytes] of beginnings) {
    test(`${name} is named (${bytes.slice(0, 8).replace(/[^\x20-\x7e]/g, '.')})`, () => {
      assert.equal(nameOf(latin1(bytes)), name)
    })
  }

  test('a text that begins with the letters of another format is a text', () => {
    for (const text of ['P6 is a bus line in town.', 'G is the seventh letter.', 'FWS means feet without shoes']) {
      assert.equal(nameOf(latin1(text)), 'plain text', text)
    }
  })
})

suite('the names of ISO media files', () => {
  test('a HEIC image is one also by its compatible brands, whatever profile is its major one', () => {
    for (const major of ['mif1', 'mif2', 'miaf', 'MiHE', 'tmap', 'msf1']) {
      assert.equal(nameOf(fileTypeBox(major, 'mif1', 'heic')), 'a HEIC image', major)
    }
  })

  test('a HEIF image whose brands name no coding, or one with a minimized header, is a HEIF image', () => {
    for (const brands of [['mif1', 'miaf'], ['miaf', 'mif1', 'MA1B'], ['mif3'], ['mif2', 'unci'], ['geo1', 'mif1']]) {
      const [major = '', ...compatible] = brands
      assert.equal(nameOf(fileTypeBox(major, ...compatible)), 'a HEIF image', major)
    }
  })

  test('a video, a sound and a raw image go by their major brand', () => {
    assert.equal(nameOf(fileTypeBox('3gp5', 'isom')), 'an MP4 video')
    assert.equal(nameOf(fileTypeBox('qt  ')), 'a QuickTime video')
    for (const major of ['M4A ', 'M4B ']) assert.equal(nameOf(fileTypeBox(major, 'isom')), 'an MPEG-4 sound')
    assert.equal(nameOf(fileTypeBox('crx ', 'isom')), 'a Canon raw image')
  })
})
