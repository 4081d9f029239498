import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

import { rejectionReasons } from '#shared/domain/events.ts'
import { imageTypes } from '#shared/domain/images/image-types.ts'
import { purposeNames, purposeRules } from '#shared/domain/purposes.ts'
import { judgeImage } from '#shared/domain/verdict.ts'

const page = readFileSync('docs/images.md', 'utf8')
const namesOf = (heading: string): string[] => {
  const [, section = ''] = page.split(`## ${heading}\n`)
  return [...(section.split('\n#')[0] ?? '').matchAll(/^\| `([^`]+)`/gm)].map(([, name = '']) => name)
}

test('the page has one row for each type and each reason', () => {
  assert.deepEqual(namesOf('What is accepted').sort(), [...imageTypes].sort())
  assert.deepEqual(namesOf('What is refused').sort(), [...rejectionReasons].sort())
})

test('the page tells the limits of the table, which are those of every purpose', () => {
  for (const { minBytes, maxBytes, maxPixels, maxSide, types } of purposeNames.map(purposeRules)) {
    const [least, most, pixels, side] = [minBytes, maxBytes, maxPixels, maxSide].map((n) => n.toLocaleString('en-US'))
    assert.ok(page.includes(`${least} to ${most} bytes, at most ${pixels} pixels, no side longer than ${side} pixels`))
    assert.deepEqual(types, imageTypes)
  }
})

test('of the reasons that apply the one is given that stands first on the page', () => {
  const object = { key: 'k', size: 10, contentType: 'image/png', etag: 'e', lastModified: new Date(0), metadata: {} }
  const rules = { ...purposeRules('scan'), minBytes: 20, maxBytes: 5, maxPixels: 10, maxSide: 1 }
  const jpeg = { kind: 'image', type: 'image/jpeg', width: 9, height: 9, animated: false } as const
  const ways = [
    judgeImage(rules, { object, inspection: jpeg, bytesRead: 10 }),
    judgeImage({ ...rules, minBytes: 1, types: [] }, { object, inspection: jpeg, bytesRead: 10 }),
    judgeImage({ ...rules, minBytes: 1, maxBytes: 10, types: [] }, { object, inspection: jpeg, bytesRead: 10 }),
    judgeImage({ ...rules, minBytes: 1, maxBytes: 10 }, { object, inspection: jpeg, bytesRead: 10 }),
    judgeImage(
      { ...rules, minBytes: 1, maxBytes: 10 },
      { object, inspection: { ...jpeg, type: 'image/png' }, bytesRead: 10 },
    ),
    judgeImage(
      { ...rules, minBytes: 1, maxBytes: 10, maxPixels: 81 },
      { object, inspection: { ...jpeg, type: 'image/png' }, bytesRead: 10 },
    ),
  ].map((verdict) => verdict.kind === 'rejected' && verdict.reason)
  const expected = ['empty', 'too_large', 'type_not_allowed', 'type_mismatch', 'too_many_pixels', 'side_too_long']
  assert.deepEqual(ways, expected)
  assert.deepEqual(
    namesOf('What is refused').filter((name) => expected.includes(name)),
    expected,
  )
})
