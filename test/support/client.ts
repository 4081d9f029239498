import { PutObjectCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import { SignJWT } from 'jose'

import { makeKey } from '#shared/domain/keys.ts'
import { localJwtSecret, type LocalSystem } from '#shared/domain/local-mode.ts'

import { newId, type PlannedFile } from './file-mix.ts'

/** A local system, or services that run alone with a secret of their own. */
export type TestSystem = LocalSystem & { jwt_secret?: string }

export const tokenOf = (userId: string, secret = localJwtSecret) =>
  new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret))

export const openS3Of = (system: LocalSystem) =>
  new S3Client({
    region: system.region,
    endpoint: system.aws_url,
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    credentials: { accessKeyId: system.access_key_id, secretAccessKey: system.secret_access_key },
  })

export type Ticket = { key: string; upload_url: string; required_headers: Record<string, string>; job_id?: string }

/** Asks for a ticket. Throws when it is not given. */
export const askTicket = async (system: TestSystem, file: PlannedFile): Promise<Ticket> => {
  const answer = await fetch(`${system.api_url}/images/presigned-url/${file.purpose}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${await tokenOf(file.userId, system.jwt_secret)}` },
    body: JSON.stringify({ content_type: file.contentType, content_length: file.body.length }),
  })
  if (answer.status !== 200) throw new Error(`no ticket: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Ticket // the API's own tests check this shape
}

/** Puts a file by its ticket. 412: it is there already, as when the answer to an earlier try was lost. */
export const putFile = async (ticket: Ticket, body: Buffer) => {
  const answer = await fetch(ticket.upload_url, { method: 'PUT', headers: ticket.required_headers, body })
  await answer.arrayBuffer()
  if (answer.status !== 200 && answer.status !== 412) throw new Error(`not stored: ${answer.status}`)
}

/** Puts a file with the bucket's own credentials, past the API, create only. */
const putPastTheApi = async (system: LocalSystem, key: string, { body, contentType }: PlannedFile) => {
  const s3 = openS3Of(system)
  const object = { Bucket: system.bucket, Key: key, Body: body, ContentType: contentType, IfNoneMatch: '*' }
  try {
    await s3.send(new PutObjectCommand(object))
  } catch (error) {
    if (!(error instanceof S3ServiceException && error.$metadata.httpStatusCode === 412)) throw error
  } finally {
    s3.destroy()
  }
}

/** An upload under a key of its own: its PUT may be repeated until it is known to be stored. */
export type BegunUpload = { key: string; put: (system: LocalSystem) => Promise<void> }

/** Begins an upload as a client does, by a ticket, or past the API where the plan says so. */
export const beginUpload = async (system: TestSystem, file: PlannedFile): Promise<BegunUpload> => {
  if (!file.pastTheApi) {
    const ticket = await askTicket(system, file)
    return { key: ticket.key, put: () => putFile(ticket, file.body) }
  }
  const made = makeKey({ purpose: file.purpose, userId: file.userId, id: newId(), now: new Date() })
  if (!made.ok) throw new Error(made.code)
  const { key } = made.facts
  return { key, put: (now) => putPastTheApi(now, key, file) }
}

export const uploadFile = async (system: TestSystem, file: PlannedFile): Promise<string> => {
  const upload = await beginUpload(system, file)
  await upload.put(system)
  return upload.key
}
