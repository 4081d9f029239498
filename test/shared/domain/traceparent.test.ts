import assert from 'node:assert/strict'
import test from 'node:test'

import { readTraceparent } from '#shared/domain/traceparent.ts'

const ids = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331'

test('a trace context of version 00 is taken as it is', () => {
  for (const flags of ['00', '01', '03', 'ff'])
    assert.equal(readTraceparent(`00-${ids}-${flags}`), `00-${ids}-${flags}`)
})

for (const [later, read] of [
  [`01-${ids}-01`, '01'],
  [`01-${ids}-00`, '00'],
  [`cc-${ids}-01-what-the-future-will-be-like`, '01'],
  [`01-${ids}-01-`, '01'],
  [`fe-${ids}-ff-a.b~c`, '01'],
  [`02-${ids}-fe`, '00'],
] as const) {
  test(`${later} of a later version is read as version 00`, () => {
    assert.equal(readTraceparent(later), `00-${ids}-${read}`)
  })
}

for (const bad of [
  undefined,
  '',
  'garbage',
  `ff-${ids}-01`,
  `ff-${ids}-01-more`,
  `00-${ids}-01-more`,
  `00-${ids}-01-`,
  `01-${ids}-01.more`,
  `01-${ids}-012`,
  `01-${ids}`,
  `1-${ids}-01`,
  `0g-${ids}-01`,
  `01-${'0'.repeat(32)}-b7ad6b7169203331-01`,
  `01-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
  `01-${ids.toUpperCase()}-01`,
  ` 00-${ids}-01`,
  `00-${ids}-01\n`,
  `00-${ids}-01, 00-${ids}-01`,
]) {
  test(`${JSON.stringify(bad)} is no trace context`, () => assert.equal(readTraceparent(bad), undefined))
}
