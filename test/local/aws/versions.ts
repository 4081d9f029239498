import {
  GetObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'

import { Bucket } from './told.ts'

export const setVersioning = (s3: S3Client, Status: 'Enabled' | 'Suspended') =>
  s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status } }))

export const put = (s3: S3Client, Key: string, Body = 'x', IfNoneMatch?: '*') =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, IfNoneMatch }))

export const read = async (s3: S3Client, Key: string, VersionId?: string): Promise<string | undefined> =>
  (await s3.send(new GetObjectCommand({ Bucket, Key, VersionId }))).Body?.transformToString()

/** A version as ListObjectVersions tells it. */
export type Told = { key: string; version: string; isLatest: boolean; marker: boolean }

/** All that a listing tells, page by page; versions and markers each in their order. */
export const listAll = async (s3: S3Client, query: Partial<ListObjectVersionsCommandInput> = {}): Promise<Told[]> => {
  const found: Told[] = []
  let marker: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {}
  for (;;) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket, ...query, ...marker }))
    for (const [entries, isMarker] of [
      [page.Versions ?? [], false],
      [page.DeleteMarkers ?? [], true],
    ] as const)
      for (const { Key = '', VersionId = '', IsLatest = false } of entries)
        found.push({ key: Key, version: VersionId, isLatest: IsLatest, marker: isMarker })
    if (!page.IsTruncated) return found
    marker = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker }
  }
}
