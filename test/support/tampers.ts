import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { CreateBucketCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'

import { awsVariables, openS3 } from '#shared/adapters/aws/clients.ts'
import { openUploadSigner, type OpenClient } from '#shared/adapters/s3/upload-signer.ts'
import { readConfig } from '#shared/runtime/config.ts'

import { listenOnLoopback, openLocalAws } from '../../local/aws/server.ts'
import { sendRaw } from '../local/aws/raw.ts'

const region = 'eu-central-1'
const credentials = { accessKeyId: 'tamper-key', secretAccessKey: 'tamper-secret' }
const bucket = 'images'
const body = Buffer.from('the bytes of an image')
const checksumSha256 = createHash('sha256').update(body).digest('base64')
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
const characters = "0123456789abcdefXYZ-_.~/%&=+;:?#!'()* "

type Ticket = { url: string; requiredHeaders: Readonly<Record<string, string>> }
type Attack = { what: string; url: string; headers: Record<string, string>; body: Buffer }

/** A store, and clients of it as `openUploadSigner` opens them. */
export type TamperPlace = { s3: S3Client; openS3: OpenClient }

/** `tamperIn` on a local S3 of its own. */
export const tamperWithTickets = async (random: () => number, count: number): Promise<void> => {
  const directory = await mkdtemp(join(tmpdir(), 'tampers-'))
  const aws = openLocalAws({ directory, region, credentials })
  const server = await listenOnLoopback(aws.handle, 0)
  const config = readConfig(awsVariables, {
    AWS_REGION: region,
    AWS_ENDPOINT_URL_S3: server.url,
    S3_FORCE_PATH_STYLE: 'true',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  })
  const s3 = openS3(config)
  try {
    await tamperIn({ s3, openS3: (instead) => openS3(config, server.url, instead) }, random, count)
  } finally {
    s3.destroy()
    await server.close()
    aws.close()
    await rm(directory, { recursive: true })
  }
}

/**
 * Changes one byte of a ticket's URL, of a locked header or of the body, `count` times at random, and puts the image so.
 * @throws AssertionError when the store takes one of them, or does not take the ticket as it is
 */
export const tamperIn = async ({ s3, openS3 }: TamperPlace, random: () => number, count: number): Promise<void> => {
  await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: { LocationConstraint: region } }))
  const signer = await openUploadSigner(openS3, bucket)
  const sign = async () => signer.sign(locks, new Date())
  let ticket = await sign()
  for (let index = 0; index < count; index++) {
    if (index % 1000 === 999) ticket = await sign()
    const attack = tamper(ticket, random)
    if (attack) assert.notEqual(await put(attack), 200, `${attack.what} was taken: ${attack.url}`)
  }
  const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }))
  assert.equal(KeyCount, 0)
  const whole = await sign()
  assert.equal(await put({ what: 'the ticket', url: whole.url, headers: { ...whole.requiredHeaders }, body }), 200)
}

const locks = {
  key: 'scans/20260101/user-1/0f8fad5bd9cb469fa16570867728950e',
  contentType: 'image/jpeg',
  contentLength: body.length,
  createOnly: true,
  checksumSha256,
  traceparent,
  expiresInSeconds: 300,
}

const put = async ({ url, headers, body }: Attack) => (await sendRaw(url, { method: 'PUT', headers, body })).status

const pick = (random: () => number, length: number) => Math.floor(random() * length)

/** The text with one character replaced, left out or put in; undefined when that changes nothing. */
const changeOne = (text: string, from: number, random: () => number): string | undefined => {
  const at = from + pick(random, text.length - from)
  const other = characters[pick(random, characters.length)] ?? ''
  const [before, after] = [text.slice(0, at), text.slice(at + 1)]
  const changed = [before + other + after, before + after, before + other + text.slice(at)][pick(random, 3)]
  return changed === text ? undefined : changed
}

const tamper = (ticket: Ticket, random: () => number): Attack | undefined => {
  const kind = random()
  const base = { url: ticket.url, headers: { ...ticket.requiredHeaders }, body }
  if (kind < 0.6) return tamperUrl(base, random)
  return kind < 0.9 ? tamperHeader(base, random) : tamperBody(base, random)
}

type Base = Omit<Attack, 'what'>

/** Anywhere behind the host. What a fragment's sign cuts off, or a percent-encoding of the same character, is no change. */
const tamperUrl = (base: Base, random: () => number): Attack | undefined => {
  const url = changeOne(base.url, base.url.indexOf('/', 'http://'.length) + 1, random)
  if (url === undefined || /[#\s]/.test(url) || decode(url) === decode(base.url)) return undefined
  return { ...base, url, what: 'a changed URL' }
}

const decode = (url: string) => {
  try {
    return decodeURIComponent(url.replace(/&+(?=&|$)/g, '').replace('?&', '?'))
  } catch {
    return url
  }
}

/** Spaces around a header's value, and the case of `image/jpeg`, are looked at by nobody but the signature. */
const tamperHeader = (base: Base, random: () => number): Attack | undefined => {
  const names = Object.keys(base.headers)
  const name = names[pick(random, names.length)] ?? ''
  const value = changeOne(base.headers[name] ?? '', 0, random)
  if (value === undefined || value.trim() === base.headers[name]?.trim()) return undefined
  const headers = random() < 0.2 ? without(base.headers, name) : { ...base.headers, [name]: value }
  return { ...base, headers, what: `a changed ${name}` }
}

const without = (headers: Record<string, string>, name: string) =>
  Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name))

const tamperBody = (base: Base, random: () => number): Attack => {
  const changed = Buffer.from(body)
  const at = pick(random, body.length)
  changed[at] = (changed[at] ?? 0) ^ (1 << pick(random, 8))
  const bodies = [changed, body.subarray(0, at), Buffer.concat([body, Buffer.from('.')])]
  return { ...base, body: bodies[pick(random, 3)] ?? changed, what: 'a changed body' }
}
