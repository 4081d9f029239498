import assert from 'node:assert/strict'
import test from 'node:test'

import { keepCredentials, type AwsCredentials } from '#shared/adapters/aws/credentials.ts'
import { CredentialsError, OutageError } from '#shared/ports/failures.ts'

const start = new Date('2026-01-01T00:00:00Z')
const at = (seconds: number) => new Date(start.getTime() + seconds * 1000)

/** A source of credentials that end an hour after they were made; it fails, or hangs, as it is told. */
const openSource = (lifeSeconds: number | undefined = 3600) => {
  const state = {
    now: start,
    asked: 0,
    failure: undefined as Error | undefined,
    held: undefined as Promise<void> | undefined,
  }
  const provide = async (): Promise<AwsCredentials> => {
    state.asked++
    await state.held
    if (state.failure) throw state.failure
    return {
      accessKeyId: `key-${state.asked}`,
      secretAccessKey: 'secret',
      ...(lifeSeconds === 0 ? {} : { expiration: new Date(state.now.getTime() + lifeSeconds * 1000) }),
    }
  }
  const take = keepCredentials(provide)
  const ask = async (seconds: number) => {
    state.now = at(seconds)
    return (await take(state.now)).accessKeyId
  }
  return { state, ask, take }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('credentials that never end are asked for once, by however many callers', async () => {
  const { state, ask } = openSource(0)
  assert.deepEqual(await Promise.all([ask(0), ask(0), ask(1e9)]), ['key-1', 'key-1', 'key-1'])
  assert.equal(state.asked, 1)
})

test('held credentials are given at once, without a promise', async () => {
  const { take, ask } = openSource()
  await ask(0)
  assert.equal(take(at(10)) instanceof Promise, false)
})

test('in their last five minutes they are renewed behind the callers, who wait for nothing', async () => {
  const { state, ask, take } = openSource()
  await ask(0)
  assert.equal(await ask(3299), 'key-1')
  assert.equal(state.asked, 1)
  state.now = at(3301)
  const given = take(at(3301))
  assert.ok(!(given instanceof Promise) && given.accessKeyId === 'key-1')
  await settled()
  assert.equal(await ask(3302), 'key-2')
})

test('a renewal that fails is tried again every 5 s, and the old ones serve until their last minute', async () => {
  const { state, ask } = openSource()
  await ask(0)
  state.failure = new Error('no answer')
  for (const second of [3301, 3302, 3305]) {
    assert.equal(await ask(second), 'key-1')
    await settled()
  }
  assert.equal(state.asked, 2)
  assert.equal(await ask(3307), 'key-1')
  await settled()
  assert.equal(state.asked, 3)
  await assert.rejects(ask(3550), OutageError)
  state.failure = undefined
  assert.equal(await ask(3551), 'key-5')
})

test('a renewal that hangs is asked once', async () => {
  const { state, ask } = openSource()
  await ask(0)
  const hanging = Promise.withResolvers<undefined>()
  state.held = hanging.promise
  for (const second of [3301, 3310, 3320, 3330]) assert.equal(await ask(second), 'key-1')
  assert.equal(state.asked, 2)
  hanging.resolve(undefined)
  await settled()
  assert.equal(await ask(3331), 'key-2')
})

test('no credentials, and credentials that have ended, are an outage that tells why', async () => {
  const { state, ask } = openSource()
  state.failure = new Error('Could not load credentials from any providers')
  await assert.rejects(ask(0), (error) => {
    assert.ok(error instanceof CredentialsError)
    assert.match(error.message, /^S3 cannot be asked: there are no credentials to sign with/)
    return error.cause === state.failure
  })
  const ended = openSource(-5)
  await assert.rejects(ended.ask(0), /have expired/)
})
