import type { FieldProblem, ProblemCode } from './problems.ts'

const key = 'scans/20261123/user-1/0f8fad5bd9cb469fa16570867728950e'
const cdnUrl = `https://cdn.example.com/${key}`
const checksum = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='

/** What the document shows; the tests send each request and hold each answer against its schema. */
export const exampleKey = key

export const ticketRequests = {
  scan: { summary: 'A scan', value: { purpose: 'scan', content_type: 'image/jpeg', content_length: 48_213 } },
  checked: {
    summary: "A chat image, locked to its bytes by the file's SHA-256",
    value: { purpose: 'chat', content_type: 'image/png', content_length: 5_120, checksum_sha256: checksum },
  },
} as const

/** Where the path names the purpose. */
export const purposeTicketRequests = {
  short: {
    summary: 'The path names the purpose',
    value: { content_type: 'image/webp', content_length: 5_120 },
  },
} as const

export const ticket = {
  key,
  upload_url: `https://my-images.s3.eu-central-1.amazonaws.com/${key}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=300&X-Amz-SignedHeaders=content-length%3Bcontent-type%3Bhost%3Bif-none-match`,
  method: 'PUT' as const,
  required_headers: { 'Content-Type': 'image/jpeg', 'If-None-Match': '*' },
  cdn_url: cdnUrl,
  expires_in: 300,
  expires_at: '2026-11-23T16:27:16.000Z',
  job_id: '6de876932268d01eb2568cde161ef7ac',
}

export const metadata = {
  key,
  purpose: 'scan' as const,
  user_id: 'user-1',
  status: 'accepted' as const,
  width: 4032,
  height: 3024,
  size: 48_213,
  content_type: 'image/jpeg',
  etag: '8a54205aaa4d997ab37909f736e20e6f',
  uploaded_at: '2026-11-23T16:22:20.000Z',
  kept_until: '2026-12-24T00:00:00.000Z',
  cdn_url: cdnUrl,
}

export const rejectedMetadata = {
  key,
  purpose: 'scan' as const,
  user_id: 'user-1',
  status: 'rejected' as const,
  reason: 'not_an_image' as const,
  detail: 'This is a PDF sent as image/jpeg.',
  size: 48_213,
  content_type: 'image/jpeg',
  etag: 'c1c755548e9e765ca745f7761fd98008',
  uploaded_at: '2026-11-23T16:22:20.000Z',
  kept_until: '2026-12-24T00:00:00.000Z',
  cdn_url: cdnUrl,
}

export const requestId = '7f1e2b90-5a5f-4a8f-9a53-0c0d7c2f6f7e'

const lengthDetail = 'must be a whole number of bytes from 1 to 10485760'
const heicDetail =
  '"image/heic" is not one of image/jpeg, image/png, image/webp, image/gif, image/avif. Browsers and models cannot read HEIC everywhere: convert the photo to JPEG before the upload.'

/** Problems whose documents name fields. */
export const fieldProblems: { readonly [Code in ProblemCode]?: { detail: string; errors: FieldProblem[] } } = {
  invalid_request: {
    detail: `content_length ${lengthDetail}; filename is not a field of this request.`,
    errors: [
      { pointer: '/content_length', detail: lengthDetail },
      { pointer: '/filename', detail: 'is not a field of this request' },
    ],
  },
  content_type_not_allowed: {
    detail: heicDetail,
    errors: [{ pointer: '/content_type', detail: heicDetail }],
  },
}
