import type { StoredObject } from '#shared/domain/stored-object.ts'

export type ObjectStart = { object: StoredObject; bytes: Uint8Array }

/** What is known of one object before it is asked for: a pin makes sure that the same one answers. */
export type Pin = { versionId?: string; etag?: string }

/** One state of an object: a version, or where there are none what stands under the key while it has this etag. */
export type VersionPin = { versionId: string } | { etag: string }

export type NewObject = { key: string; body: string; contentType: string }

/**
 * One bucket (Amazon S3 or a store that speaks its protocol). Promises that an adapter keeps (test/contract/object-store.ts):
 * - What is not there, or no longer in the pinned state, is `undefined`. A refusal is never read as absence.
 * - `put` replaces; `create` stores only where nothing is, `replace` only where the named state is.
 *
 * All methods throw OutageError when the store is away or throttles, RefusalError when it refuses this one object,
 * SetupError when the bucket does not exist or the credentials are wrong.
 */
export type ObjectStore = {
  /** The first `maxBytes` of an object (fewer when it is smaller, none when it is empty) and all that is known of it. */
  readStart: (
    key: string,
    maxBytes: number,
    options?: { pin?: Pin; signal?: AbortSignal },
  ) => Promise<ObjectStart | undefined>
  head: (key: string, options?: { signal?: AbortSignal }) => Promise<StoredObject | undefined>
  put: (object: NewObject) => Promise<void>
  /** `exists` when the key was taken: nothing is changed then. A store that knows no such condition refuses. */
  create: (object: NewObject) => Promise<'created' | 'exists'>
  /**
   * Puts in the place of what has this etag; `changed` when that is no longer there: nothing is stored then. A store that
   * knows no such condition replaces whatever is there.
   */
  replace: (object: NewObject, etag: string) => Promise<'replaced' | 'changed'>
  /** Removes every version; nothing happens where nothing is, and no delete marker is left for what never was. */
  remove: (key: string, options?: { signal?: AbortSignal }) => Promise<void>
  /** Removes the pinned state and no other, so never a newer object under the key. Nothing happens when it is not there. */
  removeVersion: (key: string, pin: VersionPin) => Promise<void>
  /** Resolves when the bucket answers. */
  ping: (signal?: AbortSignal) => Promise<void>
}

/** What a ticket promises, and what its URL lets through: this and nothing else. */
export type UploadLocks = {
  key: string
  contentType: string
  /** In bytes, exact. */
  contentLength: number
  /** Whether the upload must find nothing under its key. */
  createOnly: boolean
  /** Base64 of the body's SHA-256. */
  checksumSha256?: string
  /** W3C trace context, stored with the object. */
  traceparent?: string
  expiresInSeconds: number
}

export type SignedUpload = {
  url: string
  method: 'PUT'
  /** What the client must send besides host and content-length. */
  requiredHeaders: Readonly<Record<string, string>>
  /** What was asked for, or less: no longer than the credentials live. */
  expiresInSeconds: number
}

/** Signs uploads: every lock stands in the signature's SignedHeaders. */
export type UploadSigner = {
  /** At once while credentials are at hand. @throws CredentialsError when there are none */
  sign: (locks: UploadLocks, now: Date) => SignedUpload | Promise<SignedUpload>
  /** Resolves when there are credentials to sign with. @throws CredentialsError */
  ping: () => Promise<void>
}
