/** An object as the store's own answer tells it. */
export type StoredObject = {
  key: string
  /** In bytes, of the whole object. */
  size: number
  /** As the uploader declared it; '' when the store names none. */
  contentType: string
  /** Without quotes. */
  etag: string
  /** Absent in a bucket without versions. */
  versionId?: string
  /** In whole seconds: HTTP dates know no more. */
  lastModified: Date
  metadata: Readonly<Record<string, string>>
}
