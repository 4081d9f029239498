import assert from 'node:assert/strict'
import test from 'node:test'

import fc from 'fast-check'

import { keyForm, makeKey, parseKey, utcDate } from '#shared/domain/keys.ts'
import { purposeNames, purposes, type Purpose } from '#shared/domain/purposes.ts'
import { decodeSubject, encodeSubject } from '#shared/domain/subject.ts'

const id = '0123456789abcdef0123456789abcdef'
const now = new Date('2026-02-28T23:59:59.999Z')

const purpose = fc.constantFrom(...purposeNames)
const subject = fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }).filter((text) => encodeSubject(text).ok)
const moment = fc.date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })

const keyOf = (userId: string, of: Purpose = 'scan', at = now) => {
  const made = makeKey({ purpose: of, userId, id, now: at })
  assert.ok(made.ok)
  return made.facts.key
}

test('a key reads back as what it was made of', () => {
  fc.assert(
    fc.property(purpose, subject, moment, fc.stringMatching(/^[0-9a-f]{32}$/), (of, userId, at, random) => {
      const made = makeKey({ purpose: of, userId, id: random, now: at })
      assert.ok(made.ok)
      assert.deepEqual(parseKey(made.facts.key), { ok: true, facts: made.facts })
      assert.equal(made.facts.userId, userId)
      assert.equal(made.facts.date, purposes[of].dated ? utcDate(at) : undefined)
    }),
  )
})

test('a key holds only characters that mean nothing in a path or URL, and no segment of dots', () => {
  fc.assert(
    fc.property(purpose, subject, (of, userId) => {
      assert.match(keyOf(userId, of), /^[a-z]+(\/[A-Za-z0-9_-]+){2,3}$/)
    }),
  )
})

test('two subjects never share a segment', () => {
  fc.assert(
    fc.property(subject, subject, (one, other) => {
      assert.equal(keyOf(one) === keyOf(other), one === other)
    }),
  )
  const alike = ['a/b', 'a_2fb', 'a%2Fb', 'a%2fb', 'A/b', 'a b', 'a+b', 'a\u0000b', 'ä', 'a\u0308', '..', '.', '%2e']
  assert.equal(new Set(alike.map((text) => keyOf(text))).size, alike.length)
})

test('any text that parses as a key is the one form of that key', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const parsed = parseKey(text)
      if (parsed.ok) assert.equal(parsed.facts.key, text)
    }),
  )
})

test('a segment that the encoder does not write is refused', () => {
  for (const segment of ['', 'a.b', 'a%2fb', 'a_2F', 'a_61', '_', '_z0', '_c3', '_ed_a0_80', 'ä', 'a/b']) {
    assert.equal(decodeSubject(segment), undefined, segment)
  }
})

test('a subject without a UTF-8 form, an empty one and one that is too long are refused with a code', () => {
  assert.deepEqual(encodeSubject(''), { ok: false, code: 'subject_empty' })
  assert.deepEqual(encodeSubject('a\ud800b'), { ok: false, code: 'subject_not_unicode' })
  assert.deepEqual(encodeSubject('a'.repeat(513)), { ok: false, code: 'subject_too_long' })
  assert.deepEqual(encodeSubject('/'.repeat(171)), { ok: false, code: 'subject_too_long' })
  assert.ok(encodeSubject('a'.repeat(512)).ok)
})

const notKeys: [string, string][] = [
  ['', 'an empty text'],
  [`invoices/20260228/u/${id}`, 'an unknown prefix'],
  [`Scans/20260228/u/${id}`, 'another case'],
  [`/scans/20260228/u/${id}`, 'a slash before it'],
  [`scans/20260228/u/${id}/`, 'a slash behind it'],
  [`scans/u/${id}`, 'a scan without a date'],
  [`profiles/20260228/u/${id}`, 'a profile with a date'],
  [`scans/20260230/u/${id}`, 'a day that no calendar has'],
  [`scans/2026022/u/${id}`, 'a date of seven digits'],
  [`scans/20260228/u/${id.toUpperCase()}`, 'an id in upper case'],
  [`scans/20260228/u/${id}0`, 'an id that is too long'],
  [`scans/20260228/../${id}`, 'a segment of dots'],
  ['scans/', 'a folder marker'],
  [`scans/20260228/u/${id}\n`, 'a line feed at its end'],
]

for (const [text, what] of notKeys) {
  test(`${what} is no key, and the reason is a sentence`, () => {
    const parsed = parseKey(text)
    assert.ok(!parsed.ok)
    assert.match(parsed.problem, /^it(s)? .{10,}/)
  })
}

test('the form of keys is told for people', () => {
  assert.equal(keyForm('scan'), 'scans/{yyyymmdd}/{user}/{id}')
  assert.equal(keyForm('profile'), 'profiles/{user}/{id}')
})
