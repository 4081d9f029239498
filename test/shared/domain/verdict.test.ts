import assert from 'node:assert/strict'
import test, { suite } from 'node:test'

import { announceDispatch, announceRemoval, announceVerdict, recordVerdict } from '#shared/domain/announce.ts'
import {
  eventRecord,
  imageDeletedSchema,
  imageRejectedSchema,
  imageUploadedSchema,
  rejectionReasons,
  scanDispatchedSchema,
} from '#shared/domain/events.ts'
import { jobId } from '#shared/domain/ids.ts'
import type { Inspection } from '#shared/domain/images/inspect.ts'
import { planJob, visionJobSchema } from '#shared/domain/jobs.ts'
import { makeKey } from '#shared/domain/keys.ts'
import { keptUntil, purposeRules, type Purpose, type PurposeRules } from '#shared/domain/purposes.ts'
import { judgeImage, maxVerdictBytes, readVerdict, verdictRecordSchema, type Verdict } from '#shared/domain/verdict.ts'

const place = { bucket: 'images', cdnBaseUrl: 'https://cdn.example.com' }
const rules = purposeRules('scan')
const keyOf = (purpose: Purpose) => {
  const made = makeKey({ purpose, userId: 'user/1', id: 'a'.repeat(32), now: new Date('2026-01-01') })
  assert.ok(made.ok)
  return made.facts
}
const facts = keyOf('scan')
const object = {
  key: facts.key,
  size: 1000,
  contentType: 'image/jpeg',
  etag: 'e1',
  lastModified: new Date('2026-01-01T10:00:00Z'),
  metadata: {},
}
const photo = {
  kind: 'image',
  type: 'image/jpeg',
  width: 40,
  height: 30,
  animated: false,
  orientation: 6,
  hasGps: true,
} as const
const judge = (inspection: Inspection, changes: Partial<typeof object> = {}, bytesRead = 1000) =>
  judgeImage(rules, { object: { ...object, ...changes }, inspection, bytesRead })
const accepted: Verdict = { kind: 'accepted', image: photo }

test('a photo that is what it says is accepted', () => {
  assert.deepEqual(judge(photo), accepted)
  assert.deepEqual(judge(photo, { contentType: 'image/jpg' }), accepted)
})

test('50 megapixels are accepted, one column more is not', () => {
  assert.equal(judge({ ...photo, width: 10_000, height: 5_000 }).kind, 'accepted')
  assert.equal(judge({ ...photo, width: 10_001, height: 5_000 }).kind, 'rejected')
})

test('a side of 32767 pixels is accepted, one pixel more is not', () => {
  assert.equal(judge({ ...photo, width: 32_767, height: 1 }).kind, 'accepted')
  assert.equal(judge({ ...photo, width: 1, height: 32_767 }).kind, 'accepted')
  assert.equal(judge({ ...photo, width: 32_768, height: 1 }).kind, 'rejected')
})

test('10 MiB are accepted, one byte more is not', () => {
  assert.equal(judge(photo, { size: 10_485_760 }).kind, 'accepted')
  assert.equal(judge(photo, { size: 10_485_761 }).kind, 'rejected')
})

const unknown = { kind: 'unknown' } as const
const pdf = { kind: 'other', name: 'a PDF', mediaType: 'application/pdf' } as const
const heic = { kind: 'other', name: 'a HEIC image', mediaType: 'image/heic' } as const
const incomplete = { kind: 'incomplete', type: 'image/jpeg', neededBytes: 2000 } as const
const polyglot = {
  kind: 'polyglot',
  type: 'image/jpeg',
  name: 'a ZIP archive',
  mediaType: 'application/zip',
  at: 700,
} as const
const broken = { kind: 'broken', type: 'image/jpeg', detail: 'its width is 0' } as const

const refusals: [string, Verdict, string, RegExp][] = [
  ['an empty file', judge(unknown, { size: 0 }), 'empty', /has 0 bytes/],
  ['a file that is too large', judge(photo, { size: 10_485_761 }), 'too_large', /10485761 bytes, 10485760 are allowed/],
  [
    'a type that is not allowed',
    judge(photo, { contentType: 'text/html' }),
    'type_not_allowed',
    /"text\/html" is not one of image\/jpeg/,
  ],
  ['a file without a declared type', judge(photo, { contentType: '' }), 'type_not_allowed', /is not one of/],
  [
    'a PNG sent as JPEG',
    judge({ ...photo, type: 'image/png' }),
    'type_mismatch',
    /This is image\/png sent as image\/jpeg/,
  ],
  ['a HEIC sent as JPEG', judge(heic), 'type_mismatch', /This is a HEIC image sent as image\/jpeg/],
  ['a PDF sent as JPEG', judge(pdf), 'not_an_image', /This is a PDF sent as image\/jpeg/],
  ['unknown bytes', judge(unknown), 'not_an_image', /no image type/],
  ['a header that the file ends in', judge(incomplete), 'truncated', /ends before/],
  [
    'the beginning of another type',
    judge({ ...incomplete, type: 'image/png' }),
    'type_mismatch',
    /begins as image\/png/,
  ],
  ['a header that goes on too long', judge(incomplete, { size: 5000 }), 'header_too_long', /first 1000 bytes/],
  ['a broken header', judge(broken), 'malformed', /its width is 0/],
  ['absurd dimensions', judge({ ...photo, width: 65_535, height: 65_535 }), 'too_many_pixels', /65535 x 65535/],
  ['an absurd shape', judge({ ...photo, width: 1, height: 65_535 }), 'side_too_long', /1 x 65535, no side .* 32767/],
  ['a JPEG that is a ZIP too', judge(polyglot), 'polyglot', /This image\/jpeg file is a ZIP archive too: see byte 700/],
  ['such a JPEG sent as PNG', judge(polyglot, { contentType: 'image/png' }), 'polyglot', /image\/jpeg/],
]

for (const [what, verdict, reason, detail] of refusals) {
  test(`${what} is rejected as ${reason}, with a sentence`, () => {
    assert.ok(verdict.kind === 'rejected')
    assert.equal(verdict.reason, reason)
    assert.match(verdict.detail, detail)
  })
}

test('every reason that an event may give is given by some refusal', () => {
  const given = new Set(refusals.map(([, , reason]) => reason))
  assert.deepEqual([...given].sort(), [...rejectionReasons].sort())
})

test('a refusal names the type that was found, where one was', () => {
  const found = (what: string) => {
    const verdict = refusals.find(([name]) => name === what)?.[1]
    assert.ok(verdict?.kind === 'rejected')
    return verdict.foundType
  }
  assert.equal(found('a JPEG that is a ZIP too'), 'application/zip')
  assert.equal(found('a PNG sent as JPEG'), 'image/png')
  assert.equal(found('unknown bytes'), undefined)
})

suite('a stricter purpose', () => {
  const strict: PurposeRules = {
    prefix: 'badges/',
    dated: false,
    types: ['image/jpeg', 'image/png'],
    minBytes: 500,
    maxBytes: 2_000,
    maxPixels: 1_600,
    maxSide: 50,
  }
  const judgeStrictly = (inspection: Inspection, changes: Partial<typeof object> = {}) =>
    judgeImage(strict, { object: { ...object, ...changes }, inspection, bytesRead: 1000 })

  test('accepts what keeps its rules', () => {
    assert.deepEqual(judgeStrictly(photo), accepted)
  })

  for (const [what, verdict, reason, detail] of [
    [
      'a type',
      judgeStrictly({ ...photo, type: 'image/gif' }, { contentType: 'image/gif' }),
      'type_not_allowed',
      /is not one of image\/jpeg, image\/png/,
    ],
    ['a size', judgeStrictly(photo, { size: 2_001 }), 'too_large', /2000 are allowed/],
    ['too small a size', judgeStrictly(photo, { size: 499 }), 'empty', /has 499 bytes, at least 500/],
    ['a number of pixels', judgeStrictly({ ...photo, width: 41, height: 40 }), 'too_many_pixels', /1600 are allowed/],
    ['a side', judgeStrictly({ ...photo, width: 51, height: 1 }), 'side_too_long', /longer than 50 pixels/],
  ] as const) {
    test(`refuses ${what} that the others accept`, () => {
      assert.ok(verdict.kind === 'rejected')
      assert.equal(verdict.reason, reason)
      assert.match(verdict.detail, detail)
    })
  }
})

test('the event of an accepted scan is valid, carries its job id and is the same byte for byte each time', () => {
  const event = announceVerdict(place, facts, object, accepted)
  assert.deepEqual(imageUploadedSchema.parse(event), event)
  assert.deepEqual(announceVerdict(place, facts, object, accepted), event)
  assert.ok(event.type === 'image.uploaded')
  assert.match(event.data.job_id ?? '', /^[0-9a-f]{32}$/)
  assert.equal(event.data.user_id, 'user/1')
  assert.equal(event.data.cdn_url, `https://cdn.example.com/${facts.key}`)
  assert.deepEqual(eventRecord(event), { topic: 'image.uploaded', key: facts.key, value: JSON.stringify(event) })
})

test('the event of a refusal names declared and found type, reason and detail', () => {
  const event = announceVerdict(place, facts, object, judge(pdf))
  assert.deepEqual(imageRejectedSchema.parse(event), event)
  assert.ok(event.type === 'image.rejected')
  assert.equal(event.data.declared_type, 'image/jpeg')
  assert.equal(event.data.found_type, 'application/pdf')
})

test('a traceparent of the object goes into the event only when it is one', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const traced = announceVerdict(place, facts, { ...object, metadata: { traceparent } }, accepted)
  assert.equal(traced.traceparent, traceparent)
  const untraced = announceVerdict(place, facts, { ...object, metadata: { traceparent: 'x\ny' } }, accepted)
  assert.ok(!('traceparent' in untraced))
})

test('the stored verdict says what the event says', () => {
  for (const verdict of [accepted, judge(pdf)]) {
    const event = announceVerdict(place, facts, { ...object }, verdict)
    const record = recordVerdict(event)
    assert.deepEqual(verdictRecordSchema.parse(record), record)
    assert.equal(record.event_id, event.id)
    assert.equal(record.verdict, verdict.kind)
  }
})

test('the longest verdict is read whole', () => {
  // Servers take header lines of 16 KiB in all.
  const contentType = '"'.repeat(16_384)
  const event = announceVerdict(place, facts, { ...object, contentType }, judge(pdf))
  const stored = { ...recordVerdict(event), removed: true, deleted: { event_id: event.id } }
  const bytes = Buffer.from(JSON.stringify(stored))
  assert.deepEqual(readVerdict(bytes.subarray(0, maxVerdictBytes)), stored)
})

test('a removal is announced with its cause', () => {
  const removal = { bucket: 'images', key: facts.key, eventTime: new Date('2026-01-02T00:00:00.5Z') }
  const event = announceRemoval(facts, removal, 'expired')
  assert.deepEqual(imageDeletedSchema.parse(event), event)
  assert.equal(event.data.cause, 'expired')
})

test('an accepted scan becomes one job that holds all that a worker needs', () => {
  const event = announceVerdict(place, facts, { ...object }, accepted)
  assert.ok(event.type === 'image.uploaded')
  const job = planJob(event, { jobId: jobId(place.bucket, facts.key) }, new Date('2026-01-01T10:00:01Z'))
  assert.deepEqual(visionJobSchema.parse(job), job)
  assert.equal(job.job_id, event.data.job_id)
  assert.equal(job.event_id, event.id)
  assert.equal(job.orientation, 6)
  const dispatched = announceDispatch(job)
  assert.deepEqual(scanDispatchedSchema.parse(dispatched), dispatched)
  assert.equal(announceDispatch({ ...job, requested_at: '2026-01-01T11:00:00.000Z' }).id, dispatched.id)
})

test('an image is kept until the midnight after its days', () => {
  const uploadedAt = new Date('2026-01-01T10:00:00Z')
  assert.equal(keptUntil('scan', uploadedAt)?.toISOString(), '2026-02-01T00:00:00.000Z')
  assert.equal(keptUntil('chat', uploadedAt)?.toISOString(), '2026-01-09T00:00:00.000Z')
  assert.equal(keptUntil('profile', uploadedAt), undefined)
})
