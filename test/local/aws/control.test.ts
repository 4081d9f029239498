import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ListBucketsCommand, ListObjectsV2Command, PutBucketLifecycleConfigurationCommand } from '@aws-sdk/client-s3'

import { answerControl } from '../../../local/aws/control.ts'
import { openFaults, parseFaults } from '../../../local/aws/s3/notification-faults.ts'
import { sendRaw } from './raw.ts'
import { Bucket, drainRecords, openTold } from './told.ts'
import { put } from './versions.ts'

const json = { 'content-type': 'application/json' }
const post = (url: string, body: unknown, headers: Record<string, string> = json) =>
  sendRaw(url, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) })
/** Status and the JSON that was answered. */
const told = ({ status, body }: { status: number; body: string }) => [status, JSON.parse(body) as unknown]
const errorOf = ({ body }: { body: string }) => (JSON.parse(body) as { error: string }).error // every refusal's form

test('expire applies the rules as of the moment that it is given, or now', async (context) => {
  const { s3, url } = await openTold(context)
  const expire = `${url}/_local/expire`
  await put(s3, 'chat/a')
  await put(s3, 'kept')
  const Rules = [{ Status: 'Enabled' as const, Filter: { Prefix: 'chat/' }, Expiration: { Days: 7 } }]
  await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules } }))
  assert.deepEqual(told(await post(expire, {})), [200, { expired: 0 }])
  assert.deepEqual(told(await post(expire, '')), [200, { expired: 0 }])
  for (const at of ['2020-01-01', new Date().toISOString()])
    assert.deepEqual(told(await post(expire, { at })), [200, { expired: 0 }])
  const at = '2199-12-31T23:00:00+01:00'
  assert.deepEqual(told(await post(expire, { at }, { 'content-type': 'Application/JSON; charset=utf-8' })), [
    200,
    { expired: 1 },
  ])
  assert.deepEqual(
    (await s3.send(new ListObjectsV2Command({ Bucket }))).Contents?.map(({ Key }) => Key),
    ['kept'],
  )
  for (const wrong of [{ at: 'tomorrow' }, { at: 5 }, { at: '2026-02-30' }, { days: 1 }, [], 'x', '{'])
    assert.equal((await post(expire, wrong)).status, 400, JSON.stringify(wrong))
  assert.match(errorOf(await post(expire, { at: 'tomorrow' })), /^at: must be a date/)
})

test('the faults of notifications are shown, changed while it runs, and put back', async (context) => {
  const aws = await openTold(context)
  const url = `${aws.url}/_local/notifications`
  const off = { seed: 0, duplicate: 0, max_delay_ms: 0, reorder: false }
  assert.deepEqual(told(await sendRaw(url)), [200, off])
  const twice = { seed: 9, duplicate: 1 }
  assert.deepEqual(told(await post(url, twice)), [200, { ...off, ...twice }])
  assert.deepEqual(told(await sendRaw(url)), [200, { ...off, ...twice }])
  await put(aws.s3, 'a')
  assert.equal((await drainRecords(aws)).length, 2)
  for (const wrong of [{ duplicate: 2 }, { unknown: 1 }]) assert.equal((await post(url, wrong)).status, 400)
  assert.match(errorOf(await post(url, { duplicate: 2, seed: 'x' })), /^seed: .*; duplicate: /)
  assert.deepEqual(told(await sendRaw(url)), [200, { ...off, ...twice }], 'what is refused changes nothing')
  assert.deepEqual(told(await post(url, {})), [200, off])
  await put(aws.s3, 'b')
  assert.equal((await drainRecords(aws)).length, 1)
})

test('no page of a browser can ask: not simply, not by a preflight, not from its own origin', async (context) => {
  const { url } = await openTold(context)
  const expire = `${url}/_local/expire`
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])
    assert.equal((await post(expire, '{}', { 'content-type': type })).status, 415)
  assert.equal((await sendRaw(expire, { method: 'POST', body: '{}' })).status, 415)
  const origin = { origin: url }
  for (const answer of [
    await post(expire, '{}', { ...json, ...origin }),
    await sendRaw(`${url}/_local/notifications`, { headers: origin }),
    await sendRaw(expire, {
      method: 'OPTIONS',
      headers: { ...origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    }),
  ]) {
    assert.equal(answer.status, 403)
    assert.deepEqual(
      Object.keys(answer.headers).filter((name) => name.startsWith('access-control-')),
      [],
    )
  }
})

test('only this machine can ask', async () => {
  const stores = { faults: openFaults(parseFaults({})), runLifecycle: () => Promise.resolve(0), now: () => 0 }
  const ask = async (sourceIp: string) => {
    // A GET has no body to be read.
    const request = { method: 'GET', path: '/_local/notifications', query: [], headers: new Map(), sourceIp }
    return (await answerControl(request as unknown as Parameters<typeof answerControl>[0], stores)).status
  }
  for (const address of ['127.0.0.1', '127.8.0.1', '::1', '::ffff:127.0.0.1']) assert.equal(await ask(address), 200)
  for (const address of ['192.168.1.5', '10.127.0.1', '::ffff:10.0.0.1', 'fe80::1', ''])
    assert.equal(await ask(address), 403, address)
})

test('other paths and methods are told what there is, and never reach S3', async (context) => {
  const { url, s3 } = await openTold(context)
  for (const path of ['', 'other', 'expire/', 'constructor', 'expire/x'])
    assert.equal((await sendRaw(`${url}/_local/${path}`)).status, 404, path)
  const get = await sendRaw(`${url}/_local/expire`)
  assert.deepEqual([get.status, get.headers.allow], [405, 'POST'])
  const remove = await sendRaw(`${url}/_local/notifications`, { method: 'DELETE' })
  assert.deepEqual([remove.status, remove.headers.allow], [405, 'GET, POST'])
  assert.equal((await s3.send(new ListBucketsCommand({}))).Buckets?.length, 1)
})
