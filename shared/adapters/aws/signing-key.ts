import { createHmac } from 'node:crypto'

import { keepLast } from '#shared/runtime/keep-last.ts'

/** Temporary credentials change every hour or so, and each makes a key per day, region and service. */
const maxKeys = 50

const keys = new Map<string, Buffer>()

/**
 * The key that signs one day's requests to one service in one region, derived once. `date` is yyyymmdd, in UTC.
 * Source: AWS, "Create a signed AWS API request", step 4.
 */
export const signingKey = (secretAccessKey: string, date: string, region: string, service: string): Buffer => {
  const name = [date, region, service, secretAccessKey].join('\n')
  const known = keys.get(name)
  if (known) return known
  const key = [date, region, service, 'aws4_request'].reduce(hmac, Buffer.from(`AWS4${secretAccessKey}`))
  if (keys.size >= maxKeys) keys.clear()
  keys.set(name, key)
  return key
}

const writeSecond = keepLast((second) => new Date(second * 1000).toISOString().replace(/[-:]|\.\d{3}/g, ''))

/** A moment as signatures write it: yyyymmddThhmmssZ; written once a second. */
export const amzTimestamp = (now: Date): string => writeSecond(Math.floor(now.getTime() / 1000))

const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
