import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'

import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3'

import { listenOnLoopback } from '../../../local/aws/server.ts'
import { cdn } from '../../../local/cdn/cdn.ts'
import { openTestAws } from '../aws/support.ts'

const png = Buffer.from('0123456789')
const stored = new Map([
  ['scans/a b+c%20/ü', 'image/png'],
  ['scans/evil', 'text/html'],
  ['verdicts/secret', 'application/json'],
])

const openCdn = async (context: TestContext) => {
  const readObject = (key: string) => {
    const type = stored.get(key)
    const object = type && {
      size: png.length,
      etag: '"abc"',
      headers: { 'content-type': type },
      modifiedMs: 0,
      read: ({ start, end } = { start: 0, end: png.length }) => Readable.from([png.subarray(start, end + 1)]),
      close: () => Promise.resolve(),
    }
    return Promise.resolve(object || undefined)
  }
  const server = await listenOnLoopback(cdn({ mount: '/_cdn/', prefixes: ['scans/'], readObject }), 0)
  context.after(server.close)
  return (path: string, options: { method?: string; headers?: Record<string, string> } = {}) =>
    ask(server.port, path, options)
}

/** Over node:http, because fetch folds `..` away and normalises the path. */
const ask = (port: number, path: string, options: { method?: string; headers?: Record<string, string> }) =>
  new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    httpRequest({ port, host: '127.0.0.1', path, agent: false, ...options }, (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
      .on('error', reject)
      .end()
  })

const path = '/_cdn/scans/a%20b+c%2520/%C3%BC'

test('a key is decoded exactly once and the query string is ignored', async (context) => {
  const get = await openCdn(context)
  for (const asked of [path, `${path}?width=200&x-amz=1`]) {
    const { status, headers, body } = await get(asked)
    assert.deepEqual([status, body], [200, png.toString()])
    assert.equal(headers['content-type'], 'image/png')
    assert.equal(headers['cache-control'], 'public, max-age=86400')
    assert.equal(headers['content-length'], '10')
  }
  assert.equal((await get('/_cdn/scans/a%2520b+c%252520/%25C3%25BC')).status, 403)
})

test('no answer can run as a page', async (context) => {
  const get = await openCdn(context)
  for (const asked of ['/_cdn/scans/evil', '/_cdn/scans/none']) {
    const { headers } = await get(asked)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['content-security-policy'], "default-src 'none'; sandbox")
  }
})

test('what is not there, and what is not under the prefixes, is a 403 that is not stored', async (context) => {
  const get = await openCdn(context)
  for (const asked of ['/_cdn/scans/none', '/_cdn/verdicts/secret', '/_cdn/scans/../verdicts/secret', '/_cdn/']) {
    const { status, headers, body } = await get(asked)
    assert.deepEqual([status, body, headers['cache-control']], [403, '', 'no-store'], asked)
  }
})

test('a broken percent-encoding is a 400', async (context) => {
  const get = await openCdn(context)
  assert.equal((await get('/_cdn/scans/%zz')).status, 400)
})

test('HEAD answers as GET without the bytes', async (context) => {
  const get = await openCdn(context)
  const { status, headers, body } = await get(path, { method: 'HEAD' })
  assert.deepEqual([status, headers['content-length'], body], [200, '10', ''])
})

test('a known etag is answered with 304', async (context) => {
  const get = await openCdn(context)
  assert.equal((await get(path, { headers: { 'if-none-match': '"x", W/"abc"' } })).status, 304)
  assert.equal((await get(path, { headers: { 'if-none-match': '"x"' } })).status, 200)
})

test('one range of bytes is answered with 206, one beyond the end with 416', async (context) => {
  const get = await openCdn(context)
  const middle = await get(path, { headers: { range: 'bytes=2-4' } })
  assert.deepEqual([middle.status, middle.body, middle.headers['content-range']], [206, '234', 'bytes 2-4/10'])
  assert.equal((await get(path, { headers: { range: 'bytes=-3' } })).body, '789')
  assert.equal((await get(path, { headers: { range: 'bytes=10-' } })).status, 416)
})

test('other methods are a 405 that names those that work', async (context) => {
  const get = await openCdn(context)
  for (const method of ['PUT', 'POST', 'DELETE', 'OPTIONS']) {
    const { status, headers } = await get(path, { method })
    assert.deepEqual([status, headers.allow], [405, 'GET, HEAD'])
  }
})

test('an object of the local S3 is served as it was put', async (context) => {
  const { aws, s3 } = await openTestAws(context)
  await s3.send(new CreateBucketCommand({ Bucket: 'images' }))
  await s3.send(new PutObjectCommand({ Bucket: 'images', Key: 'scans/a b', Body: 'bytes', ContentType: 'image/png' }))
  const options = { mount: '/_cdn/', prefixes: ['scans/'], readObject: (key: string) => aws.readObject('images', key) }
  const server = await listenOnLoopback(cdn(options), 0)
  context.after(server.close)
  const { status, headers, body } = await ask(server.port, '/_cdn/scans/a%20b', {})
  assert.deepEqual([status, headers['content-type'], body], [200, 'image/png', 'bytes'])
  assert.equal((await ask(server.port, '/_cdn/scans/a%20b', { headers: { range: 'bytes=1-2' } })).body, 'yt')
})
