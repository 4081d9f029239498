import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

import { CreateBucketCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'

import { awsVariables, openS3 } from '#shared/adapters/aws/clients.ts'
import { s3ObjectStore } from '#shared/adapters/s3/object-store.ts'
import { openUploadSigner } from '#shared/adapters/s3/upload-signer.ts'
import { readConfig } from '#shared/runtime/config.ts'
import { listen } from '#shared/runtime/listen.ts'
import { openLog } from '#shared/runtime/log.ts'

import { listenOnLoopback, openLocalAws } from '../../local/aws/server.ts'
import { openServer } from '../../services/api/server.ts'
import { doctorClient, sendToStore } from '../../tools/support/doctor-client.ts'
import { CannotJudgeError, examineLocks, type Examined } from '../../tools/support/examine-locks.ts'
import { locks, type StoreAnswer } from '../../tools/support/locks.ts'
import { openTestApi, signTestToken, testPlace } from '../support/api.ts'
import { openLeakyS3, type Leak } from '../support/leaky-s3.ts'
import { temporaryDirectory } from '../support/local-system.ts'

const image = Uint8Array.from(Buffer.from('stands for an image'))
const region = 'eu-central-1'
const credentials = { accessKeyId: 'doctor-key', secretAccessKey: 'doctor-secret' }
const { bucket } = testPlace

const directory = temporaryDirectory()
const closing: (() => unknown)[] = []
let skippedMs = 0
let s3: S3Client
let door: Awaited<ReturnType<typeof openLeakyS3>>
/** Of an API whose tickets ask to create only, and of one whose tickets do not. */
let apiUrls: { strict: string; loose: string }

before(async () => {
  const aws = openLocalAws({ directory: directory.path, region, credentials, now: () => Date.now() + skippedMs })
  const server = await listenOnLoopback(aws.handle, 0)
  door = await openLeakyS3(server.url, { region, credentials })
  const config = readConfig(awsVariables, {
    AWS_REGION: region,
    AWS_ENDPOINT_URL_S3: server.url,
    S3_FORCE_PATH_STYLE: 'true',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  })
  s3 = openS3(config)
  await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }))
  const images = s3ObjectStore({ client: s3, bucket })
  const signer = await openUploadSigner((instead) => openS3(config, door.url, instead), bucket)
  const openApi = async (createOnly: boolean) => {
    const ticketRules = { seconds: 300, createOnly }
    const { app } = await openTestApi({ images, signer, ticketRules, now: () => new Date() })
    const log = openLog({ name: 'api', level: 'silent' })
    const api = openServer(app.fetch, { log, maxConnections: 100, corsOrigins: [], stop: new AbortController().signal })
    const { port } = await listen(api, '127.0.0.1', 0, 'PORT')
    closing.push(() => {
      api.close()
      api.closeAllConnections()
    })
    return `http://127.0.0.1:${port}`
  }
  apiUrls = { strict: await openApi(true), loose: await openApi(false) }
  closing.push(() => s3.destroy(), door.close, server.close, aws.close)
})
after(async () => {
  for (const close of closing) await close()
  directory.remove()
})

type Doctored = { createOnly?: boolean; send?: typeof sendToStore }

/** Every lock's finding, by its name. */
const examine = async ({ createOnly = true, send = sendToStore }: Doctored = {}) => {
  const client = doctorClient(createOnly ? apiUrls.strict : apiUrls.loose, await signTestToken())
  const found: Examined[] = []
  const stored: string[] = []
  skippedMs = 0
  const place = {
    send,
    askTicket: async (...asked: Parameters<typeof client.askTicket>) => {
      const ticket = await client.askTicket(...asked)
      door.issued(ticket)
      return ticket
    },
    remove: async (key: string) => {
      skippedMs = 0
      assert.equal(await client.remove(key), undefined)
    },
    sleep: (ms: number) => Promise.resolve(void (skippedMs += ms)),
    nowMs: Date.now,
  }
  const onStored = (key: string) => Promise.resolve(void stored.push(key))
  await examineLocks(place, { locks, image }, { onStored, onExamined: (examined) => found.push(examined) })
  assert.equal(stored.length, 1)
  return found
}

const namesOf = (found: readonly Examined[], finding: Examined['finding']) =>
  found.filter((each) => each.finding === finding).map(({ lock }) => lock.name)

const queryOf = (url: string | undefined, name: string) => new URL(url ?? 'http://none').searchParams.get(name)

/** One door for each lock: what must come through it, and nothing else. */
const leaks: Readonly<Record<string, Leak>> = {
  'longer body': ({ body }) => body.length > image.length,
  'shorter body': ({ body, method }) => method === 'PUT' && body.length < image.length,
  'other type': ({ headers }) => headers['content-type'] === 'text/html',
  'other bytes': ({ body }) => body.length === image.length && !body.equals(image),
  'no if-none-match': ({ method, headers, url }) =>
    method === 'PUT' && url.search !== '' && headers['if-none-match'] === undefined,
  'second PUT': ({ method, stored }) => method === 'PUT' && stored,
  'added header': ({ headers }) => headers['x-amz-meta-added'] !== undefined,
  'added ACL': ({ headers }) => headers['x-amz-acl'] !== undefined,
  'other signature': ({ url, ticket }) =>
    ticket !== undefined &&
    url.search !== '' &&
    queryOf(ticket.upload_url, 'X-Amz-Signature') !== queryOf(url.href, 'X-Amz-Signature'),
  'other key': ({ method, ticket }) => method === 'PUT' && ticket === undefined,
  'longer life': ({ url }) => queryOf(url.href, 'X-Amz-Expires') === '604800',
  'GET by a ticket': ({ method, url }) => method === 'GET' && url.searchParams.has('X-Amz-Signature'),
  'DELETE by a ticket': ({ method, url }) => method === 'DELETE' && url.searchParams.has('X-Amz-Signature'),
  'anonymous read': ({ method, url }) => method === 'GET' && url.search === '',
  'anonymous write': ({ method, url }) => method === 'PUT' && url.search === '',
  'anonymous list': ({ url }) => url.searchParams.has('list-type'),
  'foreign origin': ({ method }) => method === 'OPTIONS',
  'expired ticket': ({ method, url, ticket }) =>
    skippedMs > 0 && method === 'PUT' && ticket !== undefined && url.search !== '',
}

/** One that refuses ACLs before it looks at what was signed. */
const refusingAcls = async (attempt: Parameters<typeof sendToStore>[0]): Promise<StoreAnswer> =>
  'x-amz-acl' in attempt.headers
    ? { status: 400, code: 'AccessControlListNotSupported', allowedOrigin: null }
    : await sendToStore(attempt)

const countObjects = async () => (await s3.send(new ListObjectsV2Command({ Bucket: bucket }))).KeyCount

test('there is a door for every lock', () => {
  assert.deepEqual(Object.keys(leaks).toSorted(), locks.map(({ name }) => name).toSorted())
})

test('all locks of a strict store hold, and nothing of the doctor stays behind', async () => {
  door.open(() => false)
  const found = await examine()
  assert.deepEqual(
    namesOf(found, 'holds'),
    locks.map(({ name }) => name),
  )
  assert.equal(await countObjects(), 0)
})

for (const [name, leak] of Object.entries(leaks)) {
  test(`a store that leaves "${name}" open is told exactly that`, async () => {
    door.open(leak)
    const found = await examine()
    assert.deepEqual([namesOf(found, 'broken'), namesOf(found, 'unclear')], [[name], []])
    assert.equal(await countObjects(), 0)
  })
}

test('a store that knows no ACLs keeps images from the public, and is still told that it obeys what nobody signed', async () => {
  door.open(({ headers }) => Object.keys(headers).some((name) => /^x-amz-(acl|meta)/.test(name)))
  const found = await examine({ send: refusingAcls })
  assert.deepEqual([namesOf(found, 'broken'), namesOf(found, 'unclear')], [['added header'], []])
})

test('tickets that do not ask to create only are told as what they allow', async () => {
  door.open(() => false)
  assert.deepEqual(namesOf(await examine({ createOnly: false }), 'broken'), ['no if-none-match', 'second PUT'])
})

const answering = (instead: StoreAnswer) => async (attempt: Parameters<typeof sendToStore>[0]) => {
  const answer = await sendToStore(attempt)
  return answer.status < 300 ? answer : instead
}

test('a refusal by another code than the lock’s own proves nothing', async () => {
  door.open(() => false)
  const busy = answering({ status: 503, code: 'SlowDown', allowedOrigin: null })
  assert.deepEqual(namesOf(await examine({ send: busy }), 'holds'), [])
})

test('where an honest client is not let in, nothing is judged', async () => {
  door.open(() => false)
  const away = () => Promise.resolve({ status: 403, code: 'InvalidAccessKeyId', allowedOrigin: null })
  await assert.rejects(examine({ send: away }), (error: Error) => {
    assert.ok(error instanceof CannotJudgeError)
    assert.match(error.message, /403 InvalidAccessKeyId/)
    return true
  })
})
