// Uploads an image from a page: a ticket, a PUT to S3, then the verdict. It needs no package, and runs in Node too.

/** Where the API is, and how to get the user's token; it is asked for each call, since tokens expire. */
export type Intake = { apiUrl: string; getToken: () => string | Promise<string> }
export type Purpose = 'scan' | 'profile' | 'chat'

export type Ticket = { key: string; upload_url: string; required_headers: Record<string, string> }
export type Image = {
  key: string
  status: 'pending' | 'accepted' | 'rejected'
  /** Of a rejection; `detail` is a sentence for people. */
  reason?: string
  detail?: string
  etag: string
  cdn_url: string
}

/** What S3 answered to a PUT. A Put sends once, and rejects when no answer came. */
export type PutAnswer = { status: number; body: string }
export type Put = (ticket: Ticket, file: File) => Promise<PutAnswer>

/** What the API refused: `code` is stable, the message is a sentence. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
  readonly status: number
  readonly code: string

  constructor(status: number, { code, detail }: { code: string; detail: string }) {
    super(detail)
    this.status = status
    this.code = code
  }
}

/**
 * Takes a file from its ticket to its verdict. A rejection is an answer and no error; `pending` means that there was no
 * verdict within a minute.
 * @throws RefusedError by the API, such as for HEIC; Error when S3 refuses or nothing answers
 */
export const uploadImage = async (intake: Intake, purpose: Purpose, file: File, put = putByFetch): Promise<Image> => {
  for (let tickets = 1; ; tickets++) {
    const ticket = await askTicket(intake, purpose, file)
    const answer = await putUntilAnswered(put, ticket, file)
    // 412: an earlier try has arrived, only its answer was lost. One may also have arrived before the ticket expired, or
    // before the network went away for good.
    const isStored = answer?.status === 200 || answer?.status === 412 || (await findImage(intake, ticket.key))
    if (isStored) return awaitVerdict(intake, ticket.key)
    if (!answer) throw new Error('S3 does not answer')
    // 403: most likely the ticket has expired. A fresh one that is refused too has another fault.
    if (answer.status !== 403 || tickets === 2) throw new Error(`S3 refused: ${answer.status} ${codeOf(answer)}`)
  }
}

export const askTicket = async (intake: Intake, purpose: Purpose, file: File): Promise<Ticket> => {
  const request = {
    purpose,
    content_type: file.type || (/\.hei[cf]$/i.test(file.name) ? 'image/heic' : 'application/octet-stream'),
    content_length: file.size,
    checksum_sha256: await sha256(file),
  }
  const answer = await callApi(intake, '/images/presigned-url', { method: 'POST', body: JSON.stringify(request) })
  if (!answer.ok) throw await readRefusal(answer)
  return (await answer.json()) as Ticket // by the API's contract
}

/** What is known of an image; undefined when it is not there. */
export const findImage = async (intake: Intake, key: string): Promise<Image | undefined> => {
  const answer = await callApi(intake, `/images/${key}/metadata`)
  if (answer.status === 404) return undefined
  if (!answer.ok) throw await readRefusal(answer)
  return (await answer.json()) as Image // by the API's contract
}

/** Asks for the verdict until it is there, ever more rarely. */
export const awaitVerdict = async (intake: Intake, key: string, patienceMs = 60_000): Promise<Image> => {
  const end = Date.now() + patienceMs
  for (let attempt = 1; ; attempt++) {
    const image = await findImage(intake, key)
    if (!image) throw new Error(`${key} is gone: it was deleted`)
    if (image.status !== 'pending' || Date.now() > end) return image
    await pause(backoffMs(attempt))
  }
}

/** The ticket's headers are all that is to be set: the browser adds the exact length by itself. */
export const putByFetch: Put = async ({ upload_url, required_headers }, file) => {
  const answer = await fetch(upload_url, { method: 'PUT', headers: required_headers, body: file })
  return { status: answer.status, body: await answer.text() }
}

const maxTries = 6

/** The same PUT again is always safe: it stores nothing over what is there. Undefined when no answer comes at all. */
const putUntilAnswered = async (put: Put, ticket: Ticket, file: File): Promise<PutAnswer | undefined> => {
  for (let attempt = 1; ; attempt++) {
    const answer = await put(ticket, file).catch(() => undefined)
    if (attempt === maxTries || (answer && !isPassing(answer))) return answer
    await pause(backoffMs(attempt))
  }
}

/** 409: S3 was busy with the same key. The two 400s: bytes came too slowly, or not all. 501 never passes. */
const isPassing = (answer: PutAnswer) =>
  answer.status === 409 ||
  (answer.status >= 500 && answer.status !== 501) ||
  ['RequestTimeout', 'IncompleteBody'].includes(codeOf(answer))

const callApi = async ({ apiUrl, getToken }: Intake, path: string, init: RequestInit = {}): Promise<Response> => {
  for (let attempt = 1; ; attempt++) {
    const headers = { Authorization: `Bearer ${await getToken()}`, 'Content-Type': 'application/json' }
    const answer = await fetch(`${apiUrl}${path}`, { ...init, headers }).catch(() => undefined)
    if (answer && ((answer.status !== 429 && answer.status < 500) || attempt === maxTries)) return answer
    if (attempt === maxTries) throw new Error('the API does not answer')
    const toldMs = Number(answer?.headers.get('Retry-After')) * 1000
    await pause(Math.min(60_000, toldMs) || backoffMs(attempt))
  }
}

const readRefusal = async (answer: Response): Promise<Error> => {
  const isProblem = answer.headers.get('Content-Type')?.startsWith('application/problem+json')
  if (!isProblem) return new Error(`the API answered ${answer.status}`)
  return new RefusedError(answer.status, (await answer.json()) as { code: string; detail: string }) // RFC 9457
}

/** Base64 of the hash. Pages have crypto.subtle on https and localhost only; without a hash S3 checks the length alone. */
const sha256 = async (file: Blob): Promise<string | undefined> => {
  if (!('subtle' in crypto)) return undefined
  const hash = await crypto.subtle.digest('SHA-256', await file.arrayBuffer())
  return btoa(String.fromCharCode(...new Uint8Array(hash)))
}

/** S3's own word for a failure, from the XML of its answer. */
const codeOf = ({ body }: PutAnswer) => /<Code>(\w+)<\/Code>/.exec(body)?.[1] ?? ''

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const backoffMs = (attempt: number) => Math.min(5_000, 100 * 2 ** attempt) * (0.5 + Math.random() / 2)
