/** What the doctor needs of a ticket. */
export type LockTicket = { key: string; upload_url: string; required_headers: Readonly<Record<string, string>> }

export type Attempt = {
  method: string
  url: string
  headers: Readonly<Record<string, string>>
  body?: Uint8Array<ArrayBuffer>
}

/** A store's answer; `code` is S3's own word for an error, where the answer has one. */
export type StoreAnswer = { status: number; code: string | undefined; allowedOrigin: string | null }

export type Finding = 'holds' | 'broken' | 'unclear'

/** One promise of a ticket or of the bucket, with the attack that tries it. */
export type Lock = {
  name: string
  /** What somebody could do if it did not hold. */
  breach: string
  /** What is attacked: a ticket that was not used, one whose image is stored, or one whose time is over. */
  ground: 'fresh' | 'stored' | 'expired'
  /** The ticket also promises the body's SHA-256. */
  checksum?: true
  attack: (ticket: LockTicket, image: Uint8Array<ArrayBuffer>) => Attempt
  /** Under which key the attack stores, if not the ticket's. */
  storesAs?: (key: string) => string
  judge: (answer: StoreAnswer) => Finding
}

const foreignOrigin = 'https://origin.invalid'

/** As the client is told to put it. */
export const honestPut = ({ upload_url, required_headers }: LockTicket, body: Uint8Array<ArrayBuffer>): Attempt => ({
  method: 'PUT',
  url: upload_url,
  headers: required_headers,
  body,
})

/** Refused by S3's own code, so that a store that is away, slow or elsewhere proves nothing. */
const refusedAs =
  (...codes: readonly string[]) =>
  ({ status, code }: StoreAnswer): Finding => {
    if (status < 300) return 'broken'
    return status < 500 && code !== undefined && codes.includes(code) ? 'holds' : 'unclear'
  }

const unsigned = refusedAs('SignatureDoesNotMatch')
const denied = refusedAs('AccessDenied')

/** A store without CORS rules may answer a preflight with 200: what counts is that no origin is named. */
const closedToOrigins = (answer: StoreAnswer): Finding => {
  const { status, allowedOrigin } = answer
  if (status >= 300) return refusedAs('AccessForbidden', 'AccessDenied')(answer)
  return allowedOrigin === '*' || allowedOrigin === foreignOrigin ? 'broken' : 'holds'
}

/**
 * Every lock, with the code by which S3 refuses its attack.
 * Source: Amazon S3 API Reference, "Error responses"; "Conditional writes"; "Checking object integrity".
 */
export const locks: readonly Lock[] = [
  {
    name: 'longer body',
    breach: 'more bytes can be stored than the ticket says',
    ground: 'fresh',
    attack: (ticket, image) => honestPut(ticket, Uint8Array.from([...image, 0])),
    judge: unsigned,
  },
  {
    name: 'shorter body',
    breach: 'fewer bytes can be stored than the ticket says',
    ground: 'fresh',
    attack: (ticket, image) => honestPut(ticket, image.slice(0, -1)),
    judge: unsigned,
  },
  {
    name: 'other type',
    breach: 'an image can be stored under a type that the ticket does not name',
    ground: 'fresh',
    attack: (ticket, image) => withHeaders(honestPut(ticket, image), { 'Content-Type': 'text/html' }),
    judge: unsigned,
  },
  {
    name: 'other bytes',
    breach: 'bytes can be stored whose SHA-256 is not the one that the ticket names',
    ground: 'fresh',
    checksum: true,
    attack: (ticket, image) => honestPut(ticket, image.with(-1, (image.at(-1) ?? 0) ^ 1)),
    judge: refusedAs('BadDigest', 'XAmzContentChecksumMismatch', 'InvalidDigest'),
  },
  {
    name: 'no if-none-match',
    breach: 'a ticket can be used without its promise to create only',
    ground: 'fresh',
    attack: (ticket, image) => withHeaders(honestPut(ticket, image), { 'If-None-Match': undefined }),
    judge: unsigned,
  },
  {
    name: 'second PUT',
    breach: 'whoever holds a ticket can replace the image after its verdict',
    ground: 'stored',
    attack: honestPut,
    judge: refusedAs('PreconditionFailed'),
  },
  {
    name: 'added header',
    breach: 'headers that nobody signed are obeyed, such as one that copies another image',
    ground: 'fresh',
    // One that no store has a reason of its own to refuse.
    attack: (ticket, image) => withHeaders(honestPut(ticket, image), { 'x-amz-meta-added': 'by nobody who signs' }),
    judge: refusedAs('AccessDenied', 'SignatureDoesNotMatch'),
  },
  {
    name: 'added ACL',
    breach: 'whoever holds a ticket can make its image public',
    ground: 'fresh',
    attack: (ticket, image) => withHeaders(honestPut(ticket, image), { 'x-amz-acl': 'public-read' }),
    judge: refusedAs('AccessDenied', 'SignatureDoesNotMatch', 'AccessControlListNotSupported'),
  },
  {
    name: 'other signature',
    breach: 'tickets can be forged',
    ground: 'fresh',
    attack: (ticket, image) => withQuery(honestPut(ticket, image), 'X-Amz-Signature', turnLastDigit),
    judge: unsigned,
  },
  {
    name: 'other key',
    breach: 'a ticket can be used to store under any name',
    ground: 'fresh',
    attack: (ticket, image) => {
      const { origin, pathname, search } = new URL(ticket.upload_url)
      return { ...honestPut(ticket, image), url: origin + turnLastDigit(pathname) + search }
    },
    storesAs: (key) => turnLastDigit(key),
    judge: unsigned,
  },
  {
    name: 'longer life',
    breach: 'a ticket lives as long as its holder likes',
    ground: 'fresh',
    attack: (ticket, image) => withQuery(honestPut(ticket, image), 'X-Amz-Expires', () => '604800'),
    judge: unsigned,
  },
  {
    name: 'GET by a ticket',
    breach: 'a ticket also reads what is stored',
    ground: 'stored',
    attack: ({ upload_url }) => ({ method: 'GET', url: upload_url, headers: {} }),
    judge: unsigned,
  },
  {
    name: 'DELETE by a ticket',
    breach: 'a ticket also deletes what is stored',
    ground: 'stored',
    attack: ({ upload_url }) => ({ method: 'DELETE', url: upload_url, headers: {} }),
    judge: unsigned,
  },
  {
    name: 'anonymous read',
    breach: 'the bucket gives images to everybody, past the CDN',
    ground: 'stored',
    attack: ({ upload_url }) => ({ method: 'GET', url: withoutQuery(upload_url), headers: {} }),
    judge: denied,
  },
  {
    name: 'anonymous write',
    breach: 'anybody can store in the bucket',
    ground: 'fresh',
    attack: (ticket, image) => ({ ...honestPut(ticket, image), url: withoutQuery(ticket.upload_url) }),
    judge: denied,
  },
  {
    name: 'anonymous list',
    breach: 'anybody can read the names of all images',
    ground: 'stored',
    attack: ({ key, upload_url }) => {
      const bucket = withoutQuery(upload_url).slice(0, -key.length)
      return { method: 'GET', url: `${bucket}?list-type=2&max-keys=1`, headers: {} }
    },
    judge: denied,
  },
  {
    name: 'foreign origin',
    breach: 'pages of any site can use a ticket',
    ground: 'fresh',
    attack: ({ upload_url }) => ({
      method: 'OPTIONS',
      url: upload_url,
      headers: {
        Origin: foreignOrigin,
        'Access-Control-Request-Method': 'PUT',
        'Access-Control-Request-Headers': 'content-type,if-none-match',
      },
    }),
    judge: closedToOrigins,
  },
  {
    name: 'expired ticket',
    breach: 'tickets do not end',
    ground: 'expired',
    attack: honestPut,
    judge: denied,
  },
]

const withHeaders = (attempt: Attempt, changed: Readonly<Record<string, string | undefined>>): Attempt => {
  const names = new Set(Object.keys(changed).map((name) => name.toLowerCase()))
  const kept = Object.entries(attempt.headers).filter(([name]) => !names.has(name.toLowerCase()))
  const added = Object.entries(changed).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  // Pairs of texts, both of them.
  return { ...attempt, headers: Object.fromEntries([...kept, ...added]) as Record<string, string> }
}

/** Only that parameter's text changes: what else the URL says stays as it was signed. */
const withQuery = (attempt: Attempt, name: string, change: (value: string) => string): Attempt => ({
  ...attempt,
  url: attempt.url.replace(new RegExp(`(?<=[?&]${name}=)[^&]*`), change),
})

const withoutQuery = (url: string) => url.replace(/\?.*$/, '')

/** Signatures and the ids of keys end with a hex digit. */
const turnLastDigit = (text: string) => text.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))
