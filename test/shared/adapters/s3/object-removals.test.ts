import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'
import { openScriptedS3, s3Error } from './scripted-s3.ts'

suite('what the S3 object store removes', () => {
  test('remove names every version of the key, and no marker is made where nothing is', async (context) => {
    const versions = `<ListVersionsResult><Version><Key>a</Key><VersionId>v2</VersionId></Version>
      <DeleteMarker><Key>a</Key><VersionId>v3</VersionId></DeleteMarker>
      <Version><Key>ab</Key><VersionId>v9</VersionId></Version></ListVersionsResult>`
    const { store, requests, bodies } = await openScriptedS3(context, ({ method, url }) => {
      if (method === 'POST') return { status: 200, body: '<DeleteResult></DeleteResult>' }
      return { status: 200, body: url.searchParams.get('prefix') === 'a' ? versions : '<ListVersionsResult/>' }
    })
    await store.remove('a')
    await store.remove('never was')
    assert.deepEqual(
      requests.map((request) => request.split(' ')[0]),
      ['GET', 'POST', 'GET'],
    )
    const named = [...(bodies[1] ?? '').matchAll(/<VersionId>(\w+)</g)].map(([, version]) => version)
    assert.deepEqual(named, ['v2', 'v3'])
  })

  test("remove goes on until no page of versions is left, and its end is the caller's signal", async (context) => {
    const pages = ['v1', 'v2', 'v3']
    const { store, requests } = await openScriptedS3(context, ({ method }) => {
      if (method === 'POST') {
        pages.shift()
        return { status: 200, body: '<DeleteResult></DeleteResult>' }
      }
      const version = `<Version><Key>a</Key><VersionId>${pages[0] ?? ''}</VersionId></Version>`
      const truncated = `<IsTruncated>${pages.length > 1}</IsTruncated>`
      return { status: 200, body: `<ListVersionsResult>${truncated}${version}</ListVersionsResult>` }
    })
    await assert.rejects(store.remove('a', { signal: AbortSignal.abort() }))
    assert.deepEqual([pages.length, requests.length], [3, 0])
    await store.remove('a')
    assert.deepEqual([pages.length, requests.length], [0, 6])
  })

  test('an object that S3 keeps although it should go is a refusal', async (context) => {
    const { store } = await openScriptedS3(context, ({ method }) =>
      method === 'GET'
        ? { status: 200, body: '<ListVersionsResult><Version><Key>a</Key></Version></ListVersionsResult>' }
        : { status: 200, body: '<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error></DeleteResult>' },
    )
    await assert.rejects(store.remove('a'), RefusalError)
  })

  test('one state is removed by its version, or else on condition of its etag', async (context) => {
    const asked: unknown[] = []
    const { store } = await openScriptedS3(context, ({ method, url, headers }) => {
      asked.push([method, url.searchParams.get('versionId'), headers['if-match']])
      return { status: 204 }
    })
    for (const pin of [{ versionId: 'v+1/&' }, { etag: 'abc-2' }, { etag: '' }]) await store.removeVersion('a', pin)
    assert.deepEqual(asked, [
      ['DELETE', 'v+1/&', undefined],
      ['DELETE', null, '"abc-2"'],
      ['DELETE', null, '""'],
    ])
  })

  for (const [status, code, expected] of [
    [404, 'NoSuchKey', undefined],
    [404, 'NoSuchVersion', undefined],
    [412, 'PreconditionFailed', undefined],
    [404, 'NoSuchBucket', SetupError],
    [403, 'AccessDenied', RefusalError],
    [409, 'ConditionalRequestConflict', OutageError],
    [501, 'NotImplemented', RefusalError],
    [503, 'SlowDown', OutageError],
  ] as const) {
    test(`one state whose removal is answered with ${status} ${code} is ${expected?.name ?? 'not there'}`, async (context) => {
      const { store } = await openScriptedS3(context, () => s3Error(status, code))
      const removing = store.removeVersion('a', { etag: 'abc' })
      if (expected) await assert.rejects(removing, expected)
      else await removing
    })
  }

  for (const [status, code, expected] of [
    [404, 'NoSuchKey', 'changed'],
    [412, 'PreconditionFailed', 'changed'],
    [409, 'ConditionalRequestConflict', 'changed'],
    [404, 'NoSuchBucket', SetupError],
    [403, 'AccessDenied', RefusalError],
    [503, 'SlowDown', OutageError],
  ] as const) {
    const meaning = typeof expected === 'string' ? expected : expected.name
    test(`one state whose replacement is answered with ${status} ${code} is ${meaning}`, async (context) => {
      const { store } = await openScriptedS3(context, () => s3Error(status, code))
      const replacing = store.replace({ key: 'a', body: 'x', contentType: 'text/plain' }, 'abc')
      if (typeof expected === 'string') assert.equal(await replacing, expected)
      else await assert.rejects(replacing, expected)
    })
  }
})
