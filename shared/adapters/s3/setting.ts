import type { S3Client } from '@aws-sdk/client-s3'

import { statusOf } from '../aws/failures.ts'

/**
 * One part of a bucket's configuration. `read` and `wanted` have the same form, so that they are equal when nothing is to
 * be done; of a bucket that was just created an empty list is read.
 */
export type Setting = {
  name: string
  wanted: readonly unknown[]
  read: (client: S3Client, bucket: string) => Promise<readonly unknown[]>
  write: (client: S3Client, bucket: string) => Promise<unknown>
}

export const sorted = (values: readonly string[] | undefined) => [...(values ?? [])].sort()

/** Stores give rules back in an order of their own. */
export const byId = <Rule extends { id: string | undefined }>(rules: readonly Rule[]) =>
  rules.toSorted((a, b) => ((a.id ?? '') < (b.id ?? '') ? -1 : 1))

/** S3 answers 404 where nothing was ever configured; a store that has no such setting at all answers 501. */
export const orNone = async <T>(read: Promise<T[] | undefined>) => {
  try {
    return (await read) ?? []
  } catch (error) {
    if (statusOf(error) === 404 || statusOf(error) === 501) return []
    throw error
  }
}
