import assert from 'node:assert/strict'
import test from 'node:test'

import fc from 'fast-check'

import { limitUsers } from '../../../services/api/limits.ts'
import { assertProblem, openTestApi, signTestToken, testKey } from '../../support/api.ts'

const openLimit = (perMinute: number, maxUsers?: number) => {
  const clock = { ms: 1_000_000 }
  const limit = limitUsers({ perMinute, nowMs: () => clock.ms, ...(maxUsers === undefined ? {} : { maxUsers }) })
  return { clock, limit }
}

const asked = { purpose: 'chat', content_type: 'image/png', content_length: 5 }

test('a user has all calls at once after a rest, and then as many as time brings back', () => {
  const { clock, limit } = openLimit(60)
  const take = () => limit('user-1')?.allowed
  assert.deepEqual(Array.from({ length: 61 }, take), [...Array.from({ length: 60 }, () => true), false])
  clock.ms += 999
  assert.equal(take(), false)
  clock.ms += 1
  assert.deepEqual([take(), take()], [true, false])
  clock.ms += 3_600_000
  assert.equal(limit('user-1')?.remaining, 59)
})

test('one user takes nothing from another', () => {
  const { limit } = openLimit(2)
  assert.deepEqual(
    ['a', 'a', 'a', 'b', 'b', 'b'].map((userId) => limit(userId)?.allowed),
    [true, true, false, true, true, false],
  )
})

test('what is promised for later is true then, and a second before it is not', () => {
  const { clock, limit } = openLimit(6)
  for (let call = 0; call < 6; call++) limit('user-1')
  const refused = limit('user-1')
  assert.deepEqual(refused, { allowed: false, limit: 6, remaining: 0, resetSeconds: 60, retryAfterSeconds: 10 })
  clock.ms += 9_000
  assert.equal(limit('user-1')?.allowed, false)
  clock.ms += 1_000
  assert.equal(limit('user-1')?.allowed, true)
})

test('in no stretch of time more is allowed than the bucket and what the stretch brings', () => {
  const steps = fc.array(fc.integer({ min: -50, max: 5_000 }), { minLength: 1, maxLength: 300 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), steps, (perMinute, waits) => {
      const { clock, limit } = openLimit(perMinute)
      let [allowed, passed] = [0, 0]
      for (const wait of waits) {
        clock.ms += wait
        passed += Math.max(0, wait)
        const { allowed: isAllowed, remaining = 0 } = limit('user-1') ?? {}
        if (isAllowed) allowed++
        assert.ok(remaining >= 0 && remaining < perMinute)
        assert.ok(allowed <= perMinute + (passed / 60_000) * perMinute + 1e-6)
      }
    }),
  )
})

test('users beyond the number that is kept are forgotten, the longest unseen first', () => {
  const { limit } = openLimit(1, 2)
  for (const userId of ['a', 'b', 'c']) assert.equal(limit(userId)?.allowed, true)
  assert.deepEqual([limit('c')?.allowed, limit('b')?.allowed, limit('a')?.allowed], [false, false, true])
})

test('a limit of 0 limits nothing', () => {
  const { limit } = openLimit(0)
  assert.equal(limit('user-1'), undefined)
})

test('every answer to a known user tells what is left, and beyond it is a 429 that says when to come back', async () => {
  const { limit } = openLimit(4)
  const { askTicket, request, registry } = await openTestApi({ limitUser: limit })
  const answers = [
    await askTicket(asked),
    await askTicket({}),
    await request('GET', `/images/${testKey()}/metadata`),
    await request('DELETE', `/images/${testKey('chat')}`),
  ]
  assert.deepEqual(
    answers.map(({ status, headers }) => [status, headers.get('ratelimit'), headers.get('ratelimit-policy')]),
    [200, 422, 404, 204].map((status, index) => [
      status,
      `"user";r=${3 - index};t=${15 * (index + 1)}`,
      '"user";q=4;w=60',
    ]),
  )
  const refused = await askTicket(asked)
  assertProblem(refused, 'rate_limited')
  assert.equal(refused.headers.get('retry-after'), '15')
  assert.equal(refused.headers.get('ratelimit'), '"user";r=0;t=60')
  assert.match(await registry.metrics(), /tickets_total\{purpose="chat"\} 1\n/)
  const other = await askTicket(asked, '', { token: await signTestToken({ sub: 'user-2' }) })
  assert.equal(other.status, 200)
})

test('who has no right token is not counted, and told nothing of limits', async () => {
  let counted = 0
  const limitUser = () => {
    counted++
    return undefined
  }
  const { askTicket } = await openTestApi({ limitUser })
  const answer = await askTicket(asked, '', { token: '' })
  assertProblem(answer, 'token_missing')
  assert.deepEqual([counted, answer.headers.get('ratelimit')], [0, null])
})
