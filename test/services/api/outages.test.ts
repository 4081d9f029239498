import assert from 'node:assert/strict'
import test, { suite } from 'node:test'

import { CredentialsError, OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'

import type { ProblemCode } from '../../../services/api/problems.ts'
import { askRarely } from '../../../services/api/readiness.ts'
import { withinLimit } from '../../../services/api/time-limit.ts'
import { assertProblem, openTestApi, testKey, type Answer } from '../../support/api.ts'

const key = testKey()
const ticket = { purpose: 'scan', content_type: 'image/png', content_length: 5 }

const failures = [
  new OutageError('S3', 'connect ECONNREFUSED 10.1.2.3:4566 of bucket images-1'),
  new SetupError('S3: no bucket images-1 at 10.1.2.3'),
  new RefusalError('S3: AccessDenied for arn:aws:iam::123456789012:role/api at 10.1.2.3'),
]

const assertAway = (answer: Answer, code: ProblemCode = 'storage_unavailable') => {
  assertProblem(answer, code)
  assert.equal(answer.headers.get('retry-after'), '5')
  assert.doesNotMatch(answer.text, /10\.1\.2\.3|images-1|AccessDenied|arn:/)
}

for (const error of failures) {
  test(`a store that fails with ${error.name} is a 503 with Retry-After, and only the log says why`, async () => {
    const { images, states, request, logText } = await openTestApi()
    const calls: [() => void, string, string][] = [
      [() => images.faults.fail('head', error), 'GET', `/images/${key}/metadata`],
      [() => states.faults.fail('readStart', error), 'GET', `/images/${key}/metadata`],
      [() => images.faults.fail('remove', error), 'DELETE', `/images/${key}`],
    ]
    for (const [fail, method, path] of calls) {
      fail()
      const answer = await request(method, path)
      assertAway(answer)
      assert.ok(logText().includes(answer.headers.get('x-request-id') ?? '-'))
    }
    assert.match(logText(), /10\.1\.2\.3/)
  })
}

test('without credentials there is a 503 that says so, and no ticket', async () => {
  const error = new CredentialsError('S3', 'none at 10.1.2.3')
  const signer = { sign: () => Promise.reject(error), ping: () => Promise.resolve() }
  const { askTicket, images, request, registry } = await openTestApi({ signer })
  assertAway(await askTicket(ticket), 'credentials_unavailable')
  images.faults.fail('head', error)
  const { detail } = assertProblem(await request('GET', `/images/${key}/metadata`), 'credentials_unavailable')
  assert.match(detail, /has no credentials/)
  assert.doesNotMatch(await registry.metrics(), /tickets_total\{/)
})

test('a failure that nobody foresaw is a 500 that tells no details', async () => {
  const { images, request, logText } = await openTestApi()
  images.faults.fail('head', new TypeError('secrets is undefined'))
  const answer = await request('GET', `/images/${key}/metadata`)
  assertProblem(answer, 'internal_error')
  assert.doesNotMatch(answer.text, /secrets/)
  assert.match(logText(), /secrets is undefined/)
})

suite('a store that never answers is a 503 within 2 s', { concurrency: true }, () => {
  const within2s = async (ask: () => Promise<Answer>, code?: ProblemCode) => {
    const started = performance.now()
    assertAway(await ask(), code)
    const took = performance.now() - started
    assert.ok(took < 2000, `${took} ms`)
  }
  const calls: [string, 'images' | 'states', string, string, string][] = [
    ['for metadata', 'images', 'head', 'GET', `/images/${key}/metadata`],
    ['for a verdict', 'states', 'readStart', 'GET', `/images/${key}/metadata`],
    ['for a delete', 'images', 'remove', 'DELETE', `/images/${key}`],
  ]
  for (const [what, store, call, method, path] of calls) {
    test(what, async () => {
      const api = await openTestApi()
      const release = api[store].faults.hold(call)
      await within2s(() => api.request(method, path))
      release()
    })
  }
  test('for credentials', async () => {
    const api = await openTestApi({
      signer: { sign: () => new Promise<never>(() => undefined), ping: () => Promise.resolve() },
    })
    await within2s(() => api.askTicket(ticket), 'credentials_unavailable')
  })
})

test('the time limit aborts the work that it gives up, and what a failure leaves behind', async () => {
  const given: AbortSignal[] = []
  const hang = (signal: AbortSignal) => {
    given.push(signal)
    return new Promise<never>(() => undefined)
  }
  await assert.rejects(withinLimit(hang, 5), OutageError)
  await assert.rejects(
    withinLimit((signal) => Promise.all([hang(signal), Promise.reject(new Error('at once'))])),
    /at once/,
  )
  assert.deepEqual(
    given.map(({ aborted }) => aborted),
    [true, true],
  )
  assert.equal(await withinLimit(() => Promise.resolve(7)), 7)
})

test('the store has 1.2 s of the 2 s in which a call is answered', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const waiting = withinLimit(() => new Promise<never>(() => undefined))
  t.mock.timers.tick(1_200)
  await assert.rejects(waiting, /no answer within 1200 ms/)
})

test('readiness asks the store once for many questions at once', async () => {
  let asked = 0
  const ping = () => {
    asked++
    return Promise.resolve()
  }
  const problem = askRarely({ 'the image store does not answer': ping })
  assert.deepEqual(await Promise.all(Array.from({ length: 100 }, problem)), Array.from({ length: 100 }))
  assert.equal(asked, 1)
})

test('a store that fails or never answers makes the API not ready, without details', async () => {
  const sentence = 'the image store does not answer'
  assert.equal(await askRarely({ [sentence]: () => Promise.reject(new Error('10.1.2.3')) })(), sentence)
  assert.equal(await askRarely({ [sentence]: () => new Promise(() => undefined) })(), sentence)
})
