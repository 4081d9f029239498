import type { Readable } from 'node:stream'

import type { AwsRequest } from '../http.ts'

/** One S3 call after its signature was verified. */
export type S3Call = {
  request: AwsRequest
  requestId: string
  bucket: string
  key: string
  /** The version that is asked for by name; it need not exist. */
  version: string | undefined
  /** The value of a query parameter that this call takes. */
  param: (name: string) => string | undefined
  /** Reads an XML body, its hash and checksums verified. */
  readText: () => Promise<string>
  payloadHash: string
}
export type S3Answer = { status: number; headers?: Readonly<Record<string, string>>; body?: string | Readable }

export const xmlAnswer = (body: string, status = 200): S3Answer => ({
  status,
  headers: { 'content-type': 'application/xml' },
  body,
})
