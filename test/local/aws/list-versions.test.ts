import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3'
import fc from 'fast-check'

import { Bucket, openTold } from './told.ts'
import { listAll, put, read, setVersioning, type Told } from './versions.ts'

const remove = (s3: S3Client, Key: string, VersionId?: string) =>
  s3.send(new DeleteObjectCommand({ Bucket, Key, VersionId }))
const list = (s3: S3Client, query: Partial<ListObjectVersionsCommandInput>) =>
  s3.send(new ListObjectVersionsCommand({ Bucket, ...query }))

type Kept = { version: string; body: string | undefined }
type Step = { key: string; kind: 'put' | 'delete' | 'delete a version' | 'enable' | 'suspend'; pick: number }

/** Does a step on the service and on the model: the versions of each key, newest first, a marker without a body. */
const apply = async (s3: S3Client, model: Map<string, Kept[]>, { key, kind, pick }: Step): Promise<void> => {
  const kept = model.get(key) ?? []
  const add = (version = 'absent', body?: string) =>
    model.set(key, [{ version, body }, ...kept.filter((each) => each.version !== 'null' || version !== 'null')])
  switch (kind) {
    case 'put':
      return void add((await put(s3, key, String(pick))).VersionId, String(pick))
    case 'delete':
      return void add((await remove(s3, key)).VersionId)
    case 'delete a version': {
      const { version } = kept[pick % Math.max(1, kept.length)] ?? {}
      if (version === undefined) return
      await remove(s3, key, version)
      return void model.set(
        key,
        kept.filter((each) => each.version !== version),
      )
    }
    case 'enable':
    case 'suspend':
      await setVersioning(s3, kind === 'enable' ? 'Enabled' : 'Suspended')
  }
}

const toldOf = (model: Map<string, Kept[]>): Told[] =>
  [...model]
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .flatMap(([key, kept]) =>
      kept.map(({ version, body }, index) => ({ key, version, isLatest: index === 0, marker: body === undefined })),
    )

test('whatever is put and deleted, the listing tells every version once, page by page, and each can be read', async (context) => {
  const keys = ['a', 'a/b', '\u{FF5E}', '\u{1F600}']
  const step = fc.record<Step>({
    key: fc.constantFrom(...keys),
    kind: fc.constantFrom('put', 'put', 'put', 'delete', 'delete a version', 'delete a version', 'enable', 'suspend'),
    pick: fc.nat(9),
  })
  const { s3 } = await openTold(context)
  const model = new Map<string, Kept[]>()
  await setVersioning(s3, 'Enabled')
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), fc.integer({ min: 1, max: 4 }), async (steps, MaxKeys) => {
      for (const each of steps) await apply(s3, model, each)
      const byKind = (told: Told[]) => [told.filter(({ marker }) => marker), told.filter(({ marker }) => !marker)]
      assert.deepEqual(byKind(await listAll(s3, { MaxKeys })), byKind(toldOf(model)))
      for (const [key, kept] of model) {
        for (const { version, body } of kept.filter((each) => each.body !== undefined))
          assert.equal(await read(s3, key, version), body)
        if (kept[0]?.body === undefined) await assert.rejects(read(s3, key), { name: 'NoSuchKey' })
        else assert.equal(await read(s3, key), kept[0].body)
      }
    }),
    { numRuns: 25, endOnFailure: true },
  )
})

test('versions and markers stand in one order, and prefixes are rolled up', async (context) => {
  const { s3 } = await openTold(context)
  await setVersioning(s3, 'Enabled')
  for (const key of ['a', 'p/1', 'p/2', 'q']) await put(s3, key)
  await remove(s3, 'p/2')
  await remove(s3, 'q')
  const page = await list(s3, { Delimiter: '/' })
  assert.deepEqual(
    [page.Versions?.map(({ Key }) => Key), page.DeleteMarkers?.map(({ Key }) => Key)],
    [['a', 'q'], ['q']],
  )
  assert.deepEqual(
    page.CommonPrefixes?.map(({ Prefix }) => Prefix),
    ['p/'],
  )
  const upToPrefix = await list(s3, { Delimiter: '/', MaxKeys: 2 })
  assert.deepEqual([upToPrefix.NextKeyMarker, upToPrefix.NextVersionIdMarker], ['p/', undefined])
  const behind = await list(s3, { Delimiter: '/', KeyMarker: 'p/' })
  assert.deepEqual([behind.Versions?.map(({ Key }) => Key), behind.CommonPrefixes], [['q'], undefined])
  const [version] = (await list(s3, { Prefix: 'p/2' })).Versions ?? []
  assert.partialDeepStrictEqual(version, { Key: 'p/2', Size: 1, IsLatest: false, Owner: { ID: 'local-owner' } })
  const [latest] = (await list(s3, { Prefix: 'p/2' })).DeleteMarkers ?? []
  assert.partialDeepStrictEqual(latest, { Key: 'p/2', IsLatest: true })
  assert.ok(latest?.LastModified && latest.VersionId)
})

test('a listing goes on behind versions that were deleted since the page before', async (context) => {
  const { s3 } = await openTold(context)
  await put(s3, 'a', 'null')
  await setVersioning(s3, 'Enabled')
  for (let count = 0; count < 4; count += 1) await put(s3, 'a')
  await put(s3, 'b')
  let marker: object = {}
  const seen: string[] = []
  for (let more = true; more;) {
    const page = await list(s3, { MaxKeys: 2, ...marker })
    const Objects = (page.Versions ?? []).map(({ Key, VersionId }) => ({ Key, VersionId }))
    seen.push(...Objects.map(({ Key = '', VersionId = '' }) => `${Key} ${VersionId}`))
    await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
    more = page.IsTruncated === true
  }
  assert.equal(new Set(seen).size, 6)
  assert.deepEqual(await listAll(s3), [])
})

test('a marker of a version needs one of a key, and must be one', async (context) => {
  const { s3 } = await openTold(context)
  for (const marker of [
    { VersionIdMarker: 'null' },
    { KeyMarker: 'a', VersionIdMarker: '' },
    { KeyMarker: 'a', VersionIdMarker: '1' },
  ])
    await assert.rejects(list(s3, marker), { name: 'InvalidArgument' })
  assert.equal((await list(s3, { KeyMarker: 'a', VersionIdMarker: 'null' })).IsTruncated, false)
})

test('without versioning every object is its own version null', async (context) => {
  const { s3 } = await openTold(context)
  for (const key of ['p/1', 'p/2', 'q']) await put(s3, key)
  const version = { version: 'null', isLatest: true, marker: false }
  assert.deepEqual(await listAll(s3, { Prefix: 'p/', MaxKeys: 1 }), [
    { key: 'p/1', ...version },
    { key: 'p/2', ...version },
  ])
})
