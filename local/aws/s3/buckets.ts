import type { Database } from '../database.ts'
import { AwsError } from '../errors.ts'
import type { CorsRule } from './cors.ts'
import { noSuchBucket } from './errors.ts'
import type { NotificationRule } from './notifications.ts'
import type { Versioning } from './versioning.ts'
import type { XmlElement } from './xml.ts'

export type Bucket = {
  name: string
  createdMs: number
  notifications: readonly NotificationRule[]
  cors: readonly CorsRule[] | undefined
  lifecycle: XmlElement | undefined
  versioning: Versioning
}
type Configuration = Pick<Bucket, 'notifications' | 'cors' | 'lifecycle' | 'versioning'>

export type Buckets = {
  /** False when it is already there. @throws AwsError InvalidBucketName */
  create: (name: string) => boolean
  find: (name: string) => Bucket | undefined
  /** @throws AwsError NoSuchBucket */
  get: (name: string) => Bucket
  all: () => Bucket[]
  /** @throws AwsError BucketNotEmpty */
  remove: (name: string) => void
  configure: <Name extends keyof Configuration>(bucket: string, name: Name, value: Configuration[Name]) => void
}

type Row = {
  name: string
  created_ms: number
  notifications: string
  cors: string | null
  lifecycle: string | null
  versioning: string | null
}

export const openBuckets = (database: Database, now: () => number): Buckets => {
  const insert = database.prepare('INSERT INTO buckets (name, created_ms) VALUES (?, ?) ON CONFLICT DO NOTHING')
  const select = database.prepare<Row>('SELECT * FROM buckets WHERE name = ?')
  const selectAll = database.prepare<Row>('SELECT * FROM buckets ORDER BY name')
  const isUsed = database.prepare('SELECT 1 FROM objects WHERE bucket = ? LIMIT 1')
  const remove = database.prepare('DELETE FROM buckets WHERE name = ?')
  const updates = {
    notifications: database.prepare('UPDATE buckets SET notifications = ? WHERE name = ?'),
    cors: database.prepare('UPDATE buckets SET cors = ? WHERE name = ?'),
    lifecycle: database.prepare('UPDATE buckets SET lifecycle = ? WHERE name = ?'),
    versioning: database.prepare('UPDATE buckets SET versioning = ? WHERE name = ?'),
  }
  const find = (name: string): Bucket | undefined => {
    const row = select.get(name)
    return row && parseRow(row)
  }
  return {
    create: (name) => {
      if (!isBucketName(name))
        throw new AwsError('InvalidBucketName', 400, 'The specified bucket is not valid.', { BucketName: name })
      return insert.run(name, now()).changes > 0
    },
    find,
    get: (name) => {
      const bucket = find(name)
      if (!bucket) throw noSuchBucket(name)
      return bucket
    },
    all: () => selectAll.all().map(parseRow),
    remove: (name) =>
      database.transaction(() => {
        if (isUsed.get(name)) throw bucketNotEmpty(find(name))
        remove.run(name)
      }),
    configure: (bucket, name, value) =>
      void updates[name].run(value === undefined ? null : JSON.stringify(value), bucket),
  }
}

const bucketNotEmpty = (bucket: Bucket | undefined): AwsError => {
  const hint = bucket?.versioning === undefined ? '' : '. You must delete all versions in the bucket.'
  const message = `The bucket you tried to delete is not empty${hint}`
  return new AwsError('BucketNotEmpty', 409, message, { BucketName: bucket?.name ?? '' })
}

// The casts: each column was written by `configure`, from what its own parser gave.
const parseRow = (row: Row): Bucket => ({
  name: row.name,
  createdMs: row.created_ms,
  notifications: JSON.parse(row.notifications) as NotificationRule[],
  cors: row.cors === null ? undefined : (JSON.parse(row.cors) as CorsRule[]),
  lifecycle: row.lifecycle === null ? undefined : (JSON.parse(row.lifecycle) as XmlElement),
  versioning: row.versioning === null ? undefined : (JSON.parse(row.versioning) as Versioning),
})

const isBucketName = (name: string): boolean =>
  /^[a-z\d][a-z\d.-]{1,61}[a-z\d]$/.test(name) && !name.includes('..') && !/^\d+\.\d+\.\d+\.\d+$/.test(name)
