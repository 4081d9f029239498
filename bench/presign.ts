import assert from 'node:assert/strict'

import { S3Client } from '@aws-sdk/client-s3'

import { openUploadSigner } from '#shared/adapters/s3/upload-signer.ts'
import type { UploadLocks } from '#shared/ports/object-store.ts'

import { signByIntroduction } from './baselines/get-signed-url.ts'
import { median } from './median.ts'

const bucket = 'images-1'
const rounds = 9
const ourCalls = 100_000
const theirCalls = 1_500

const openClient = (credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a-secret-of-this-bench' }) =>
  new S3Client({ region: 'eu-central-1', requestChecksumCalculation: 'WHEN_REQUIRED', credentials })

const locksOf = (index: number): UploadLocks => ({
  key: `scans/20260101/user-1/${index.toString(16).padStart(32, '0')}`,
  contentType: 'image/jpeg',
  contentLength: 1 + index,
  createOnly: true,
  expiresInSeconds: 300,
})

/** CPU of one presign call by our signer and by the SDK's getSignedUrl, for the same URLs. */
export const benchPresign = async () => {
  const signer = await openUploadSigner(openClient, bucket)
  const client = openClient()
  // Made beforehand: the bench is of the signing alone.
  const asked = Array.from({ length: 1_000 }, (_, index) => ({ bucket, ...locksOf(index) }))
  const [first] = asked
  if (!first) throw new Error('there is nothing to sign')
  const pick = (index: number) => asked[index % asked.length] ?? first
  const ours = (index: number, now: Date) => signer.sign(pick(index), now)
  const theirs = (index: number, now: Date) => signByIntroduction(client, pick(index), now)
  const now = new Date()
  for (let index = 0; index < 500; index++) assert.equal((await ours(index, now)).url, await theirs(index, now))

  const [ourMicros, theirMicros]: number[][] = [[], []]
  for (let round = 0; round <= rounds; round++) {
    const now = new Date()
    const our = await measure(ourCalls, (index) => ours(index, now))
    const their = await measure(theirCalls, (index) => theirs(index, now))
    if (round === 0) continue
    ourMicros?.push(our)
    theirMicros?.push(their)
  }
  const [our, their] = [median(ourMicros ?? []), median(theirMicros ?? [])]
  return { ratio: round2(their / our), our_us: round2(our), sdk_us: round2(their) }
}

const round2 = (figure: number) => Math.round(figure * 100) / 100

/** Microseconds of CPU a call; a call that gives no promise is not waited for. */
const measure = async (calls: number, sign: (index: number) => unknown) => {
  const before = process.cpuUsage()
  for (let index = 0; index < calls; index++) {
    const signed = sign(index)
    if (signed instanceof Promise) await signed
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}
