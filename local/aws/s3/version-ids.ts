import { randomBytes } from 'node:crypto'

import { invalidArgument } from './errors.ts'
import type { Versioning } from './versioning.ts'

/** The version of what is stored while versioning is off or suspended. Source: Amazon S3 User Guide, "Using versioning". */
export const nullVersion = 'null'

/** Opaque to callers. It ends in its place among all writes, so that a listing goes on also behind a version that is gone. */
export const newVersionId = (sequence: number): string => {
  const bytes = randomBytes(24)
  bytes.writeUIntBE(sequence, 18, 6)
  return bytes.toString('base64url').replaceAll('-', '.')
}

/** Could it ever have been given out here? */
export const isVersionId = (text: string): boolean => text === nullVersion || /^[\w.]{32}$/.test(text)

/** The place among all writes of a version that `newVersionId` made. */
export const sequenceOf = (versionId: string): number =>
  Buffer.from(versionId.replaceAll('.', '-'), 'base64url').readUIntBE(18, 6)

/** @throws AwsError InvalidArgument for what no version was ever called */
export const checkVersionId = (version: string | undefined): void => {
  if (version === '') throw invalidArgument('Version id cannot be the empty string', 'versionId', version)
  if (version !== undefined && !isVersionId(version))
    throw invalidArgument('Invalid version id specified', 'versionId', version)
}

/** @throws AwsError InvalidArgument for a version by name in a bucket that never had any */
export const checkVersioned = (versioning: Versioning, version: string | undefined): void => {
  if (versioning === undefined && version !== undefined && version !== nullVersion)
    throw invalidArgument('Invalid version id specified', 'versionId', version)
}

/** The header of an answer about one version; none in a bucket that never had versions. */
export const describeVersion = ({ version }: { version?: string }): Record<string, string> =>
  version === undefined ? {} : { 'x-amz-version-id': version }
