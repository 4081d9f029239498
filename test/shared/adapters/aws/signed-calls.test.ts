import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { hash } from 'node:crypto'
import { suite, test, type TestContext } from 'node:test'
import { promisify } from 'node:util'

import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'

import { statusOf } from '#shared/adapters/aws/failures.ts'
import { signedCaller } from '#shared/adapters/aws/signed-calls.ts'
import { findBucketTarget } from '#shared/adapters/aws/target.ts'
import { CredentialsError, RefusalError } from '#shared/ports/failures.ts'
import { eventually } from '../../../support/eventually.ts'
import { http, openRawServer } from './raw-server.ts'

const ok = http(200, { 'content-length': 2 }, 'ok')
const xmlError = (status: number, code: string, headers: Record<string, string> = {}) => {
  const body = `<Error><Code>${code}</Code></Error>`
  return http(status, { ...headers, 'content-length': body.length }, body)
}

const open = async (
  context: TestContext,
  answer: Parameters<typeof openRawServer>[1],
  config: Partial<S3ClientConfig> = {},
) => {
  const server = await openRawServer(context, answer)
  const client = new S3Client({
    region: 'eu-central-1',
    endpoint: server.origin,
    forcePathStyle: true,
    maxAttempts: 2,
    credentials: { accessKeyId: 'first', secretAccessKey: 'secret' },
    ...config,
  })
  context.after(() => client.destroy())
  const call = signedCaller('S3', client, () => findBucketTarget(client, 'images'))
  const payloadHash = hash('sha256', '')
  const get = (headers: Record<string, string> = {}, signal?: AbortSignal) =>
    call({ method: 'GET', path: 'a', headers, payloadHash, maxBytes: 100, signal })
  return { ...server, client, get }
}

const signedBy = (requests: readonly string[]) =>
  requests.map((request) => /\r\nauthorization: AWS4-HMAC-SHA256 Credential=([^/]+)/.exec(request)?.[1])

const signedAt = (request: string) => {
  const date = /\r\nx-amz-date: (\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\r\n/.exec(request)
  const [, year, month, day, hour, minute, second] = date ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}

suite('a signed call', () => {
  test('goes once more when its connection breaks before the answer', async (context) => {
    const { get, requests } = await open(context, (_, socket, count) => {
      if (count === 2) socket.destroy()
      else socket.write(ok)
    })
    await get()
    assert.equal((await get()).body.toString(), 'ok')
    assert.equal(requests.length, 3)
  })

  test('goes once more when its body is cut', async (context) => {
    const { get, requests } = await open(context, (_, socket, count) => {
      if (count === 1) socket.end(http(200, { 'content-length': 2 }, 'o'))
      else socket.write(ok)
    })
    assert.equal((await get()).body.toString(), 'ok')
    assert.equal(requests.length, 2)
  })

  for (const status of [500, 503]) {
    test(`goes once more, and only once, after a ${status}`, async (context) => {
      const { get, requests } = await open(context, (_, socket) => socket.write(xmlError(status, 'x')))
      await assert.rejects(get(), (error) => statusOf(error) === status)
      assert.equal(requests.length, 2)
    })
  }

  test('goes as often as its client says', async (context) => {
    const { get, requests } = await open(context, (_, socket) => socket.write(xmlError(503, 'x')), { maxAttempts: 3 })
    await assert.rejects(get())
    assert.equal(requests.length, 3)
  })

  test('that was refused is not repeated', async (context) => {
    const { get, requests } = await open(context, (_, socket) => socket.write(xmlError(403, 'AccessDenied')))
    await assert.rejects(get(), { name: 'AccessDenied' })
    assert.equal(requests.length, 1)
  })

  test('that was aborted is not repeated', async (context) => {
    const controller = new AbortController()
    const { get, requests } = await open(context, () => controller.abort())
    await assert.rejects(get({}, controller.signal), { name: 'AbortError' })
    assert.equal(requests.length, 1)
  })

  test("is signed by the service's clock when ours is wrong", async (context) => {
    const skewMs = 3_600_000
    const { get, requests, client } = await open(context, (request, socket) => {
      const date = new Date(Date.now() + skewMs).toUTCString()
      const isRight = Math.abs(signedAt(request) - Date.now() - skewMs) < 60_000
      socket.write(isRight ? ok : xmlError(403, 'RequestTimeTooSkewed', { date }))
    })
    await Promise.all([get(), get(), get()])
    assert.equal(requests.length, 6)
    await get()
    assert.equal(requests.length, 7)
    assert.ok(Math.abs(client.config.systemClockOffset - skewMs) < 60_000)
  })

  test('is signed with the credentials of its moment, and their session', async (context) => {
    let count = 0
    const credentials = () =>
      Promise.resolve({
        accessKeyId: `key-${++count}`,
        secretAccessKey: 'secret',
        sessionToken: `session-${count}`,
        // Of the past: they are asked for anew each time.
        expiration: new Date(0),
      })
    const { get, requests } = await open(context, (_, socket) => socket.write(ok), { credentials })
    await get()
    await get()
    const [first, second] = signedBy(requests)
    assert.ok(first && second && first !== second, `${first} and ${second}`)
    for (const [index, key] of [first, second].entries()) {
      const session = key.replace('key', 'session')
      assert.ok(requests[index]?.includes(`\r\nx-amz-security-token: ${session}\r\n`))
      assert.match(requests[index] ?? '', /SignedHeaders=[^,]*;x-amz-security-token,/)
    }
  })

  test('without credentials is not sent, and goes when they have come', async (context) => {
    let haveCome = false
    const credentials = () =>
      haveCome ? Promise.resolve({ accessKeyId: 'late', secretAccessKey: 's' }) : Promise.reject(new Error('none yet'))
    const { get, requests } = await open(context, (_, socket) => socket.write(ok), { credentials })
    for (let times = 0; times < 2; times++) {
      await assert.rejects(get(), (error) => {
        assert.ok(error instanceof CredentialsError && error.cause instanceof Error)
        return error.cause.message === 'none yet'
      })
    }
    haveCome = true
    await get()
    assert.deepEqual(signedBy(requests), ['late'])
  })

  test('with a header that no request can hold is a refusal, and is not sent', async (context) => {
    const { get, requests } = await open(context, (_, socket) => socket.write(ok))
    for (const value of ['a\nb', 'a\r\nx: y', '\u0000', '日本']) await assert.rejects(get({ x: value }), RefusalError)
    assert.equal(requests.length, 0)
  })

  test("ends with its client's end, and the next opens connections anew", async (context) => {
    const { get, client, sockets } = await open(context, (_, socket, count) => {
      if (count !== 2) socket.write(ok)
    })
    await get()
    const hanging = get()
    await eventually(() => sockets.length === 2, 'a second connection')
    const ended = assert.rejects(hanging)
    client.destroy()
    await ended
    await eventually(() => sockets.every((socket) => socket.closed), 'closed connections')
    assert.equal((await get()).body.toString(), 'ok')
  })

  test('that is over keeps no process alive', { timeout: 30_000 }, async (context) => {
    const { origin, requests } = await openRawServer(context, (_, socket) => socket.write(ok))
    const script = `
      import { S3Client } from '@aws-sdk/client-s3'
      import { s3ObjectStore } from '#shared/adapters/s3/object-store.ts'
      const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
      const client = new S3Client({ region: 'r', endpoint: '${origin}', forcePathStyle: true, credentials })
      const start = await s3ObjectStore({ client, bucket: 'images' }).readStart('a', 10)
      process.stdout.write(Buffer.from(start.bytes))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
    assert.deepEqual([stdout, requests.length], ['ok', 1])
  })
})
