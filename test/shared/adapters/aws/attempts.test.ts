import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { AnswerError } from '#shared/adapters/aws/answer-error.ts'
import { findSkew, isPassing } from '#shared/adapters/aws/attempts.ts'

const answered = (status: number, code: string, date = '') =>
  new AnswerError({
    status,
    headers: { date },
    body: Buffer.from(`<Error><Code>${code}</Code></Error>`),
    isWhole: true,
  })

suite('what another attempt may mend', () => {
  for (const [status, code, passes] of [
    [500, 'InternalError', true],
    [502, '', true],
    [503, 'SlowDown', true],
    [504, '', true],
    [429, '', true],
    [400, 'RequestTimeout', true],
    [400, 'ThrottlingException', true],
    [403, 'RequestThrottled', true],
    [501, 'NotImplemented', false],
    [404, 'NoSuchKey', false],
    [403, 'AccessDenied', false],
    [412, 'PreconditionFailed', false],
    [409, 'ConditionalRequestConflict', false],
    [416, 'InvalidRange', false],
    [301, 'PermanentRedirect', false],
  ] as const) {
    test(`${status} ${code} ${passes ? 'passes' : 'stays'}`, () =>
      assert.equal(isPassing(answered(status, code)), passes))
  }

  test('no answer at all passes', () => {
    assert.ok(isPassing(Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' })))
  })
})

suite('a clock that is wrong', () => {
  const now = Date.parse('2025-01-01T00:00:00Z')
  const refused = (code: string, date: string) => answered(403, code, date)
  const hourLater = 'Wed, 01 Jan 2025 01:00:00 GMT'

  test('is found by the date of the refusal', () => {
    for (const code of ['RequestTimeTooSkewed', 'InvalidSignatureException', 'SignatureDoesNotMatch']) {
      assert.equal(findSkew(refused(code, hourLater), 0, now), 3_600_000)
    }
    assert.equal(findSkew(refused('RequestTimeTooSkewed', 'Tue, 31 Dec 2024 23:00:00 GMT'), 0, now), -3_600_000)
  })

  test('is found by the date of a HEAD that was refused, whose answer says nothing else', () => {
    const answer = (status: number) =>
      new AnswerError({ status, headers: { date: hourLater }, body: Buffer.alloc(0), isWhole: true })
    assert.equal(findSkew(answer(403), 0, now), 3_600_000)
    assert.equal(findSkew(answer(404), 0, now), undefined)
  })

  test('explains nothing when it is right, reckoned with already, or not what was refused', () => {
    assert.equal(findSkew(refused('SignatureDoesNotMatch', 'Wed, 01 Jan 2025 00:01:00 GMT'), 0, now), undefined)
    assert.equal(findSkew(refused('SignatureDoesNotMatch', hourLater), 3_600_000, now), undefined)
    assert.equal(findSkew(refused('AccessDenied', hourLater), 0, now), undefined)
    assert.equal(findSkew(refused('SignatureDoesNotMatch', 'nonsense'), 0, now), undefined)
    assert.equal(findSkew(new Error('no answer'), 0, now), undefined)
  })
})
