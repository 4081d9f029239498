import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { keptUntil } from '#shared/domain/purposes.ts'

import type { LifecycleRule } from '../../../local/aws/s3/lifecycle.ts'
import { planExpiry } from '../../../local/aws/s3/run-lifecycle.ts'
import type { StoredVersion } from '../../../local/aws/s3/version-rows.ts'

const at = (time: string) => Date.parse(`2026-03-${time}:00Z`)

/** The versions of `a`, newest first; a version that is called m is a marker. */
const versionsOf = (...stored: [version: string, time: string][]): StoredVersion[] =>
  stored.map(([version, time], index) => {
    const place = { key: 'a', version, sequence: stored.length - index, modifiedMs: at(time) }
    return version.startsWith('m')
      ? { kind: 'marker', ...place }
      : { kind: 'object', ...place, blob: version, size: 1, etag: '""', headers: {}, checksums: {} }
  })
const rule = (more: Partial<LifecycleRule>): LifecycleRule => ({ isEnabled: true, prefix: '', ...more })
const days = (count: number) => rule({ expiration: { kind: 'days', days: count } })
const noncurrent = (count: number, kept = 0) => rule({ noncurrent: { days: count, kept } })

const cases: [string, StoredVersion[], LifecycleRule[], string, (string | undefined)[]][] = [
  ['an object is kept until midnight', versionsOf(['v1', '10T00:01']), [days(1)], '11T23:59', []],
  ['an object goes at midnight', versionsOf(['v1', '10T00:01']), [days(1)], '12T00:00', [undefined]],
  ['one of midnight is not kept a day more', versionsOf(['v1', '10T00:00']), [days(1)], '11T00:00', [undefined]],
  ['the earliest of several rules counts', versionsOf(['v1', '10T10:00']), [days(9), days(1)], '12T00:00', [undefined]],
  ['a rule of another prefix does not', versionsOf(['v1', '10T10:00']), [{ ...days(1), prefix: 'b' }], '20T00:00', []],
  ['a marker over a version stays', versionsOf(['m2', '10T10:00'], ['v1', '09T10:00']), [days(1)], '20T00:00', []],
  ['a lone marker goes by its days', versionsOf(['m1', '10T10:00']), [days(1)], '12T00:00', ['m1']],
  ['a lone marker is kept until then', versionsOf(['m1', '10T10:00']), [days(1)], '11T23:59', []],
  [
    'an old version counts from when the next one came',
    versionsOf(['v3', '14T10:00'], ['v2', '12T10:00'], ['v1', '10T10:00']),
    [noncurrent(1)],
    '14T00:00',
    ['v1'],
  ],
  [
    'an old marker goes as an old version',
    versionsOf(['v3', '12T10:00'], ['m2', '12T09:00'], ['v1', '10T10:00']),
    [noncurrent(1)],
    '14T00:00',
    ['m2', 'v1'],
  ],
  [
    'the newest of the old versions are kept',
    versionsOf(['v4', '13T10:00'], ['v3', '12T10:00'], ['v2', '11T10:00'], ['v1', '10T10:00']),
    [noncurrent(1, 2)],
    '30T00:00',
    ['v1'],
  ],
  [
    'both kinds of rule take at once',
    versionsOf(['v2', '11T10:00'], ['v1', '10T10:00']),
    [days(1), noncurrent(1)],
    '13T00:00',
    ['v1', undefined],
  ],
]
for (const [name, versions, rules, time, expected] of cases)
  test(name, () => {
    const planned = planExpiry(versions, rules, at(time))
    assert.deepEqual(
      planned.map(({ version }) => version),
      expected,
    )
  })

test('the local S3 takes an image exactly when the domain says that it is kept no longer', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: -2, max: 2 }), (uploadedMs, offMs) => {
      const keptMs = keptUntil('chat', new Date(uploadedMs))?.getTime() ?? NaN
      const stored = versionsOf(['v1', '10T10:00']).map((version) => ({ ...version, modifiedMs: uploadedMs }))
      assert.equal(planExpiry(stored, [days(7)], keptMs + offMs).length, offMs < 0 ? 0 : 1)
    }),
  )
})
