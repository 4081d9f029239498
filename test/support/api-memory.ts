import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { openLog } from '#shared/runtime/log.ts'

import { limitUsers } from '../../services/api/limits.ts'
import { openTestApi, signTestToken } from './api.ts'

const users = 2_000
const warmUp = 60_000
const mayGrowMb = 24

/**
 * Sends `count` requests of many users, right and wrong, and measures the heap behind a collection.
 * @throws AssertionError when it has grown since the caches were full
 */
export const watchMemory = async (random: () => number, count: number): Promise<void> => {
  const limitUser = limitUsers({ perMinute: 600, maxUsers: 1_000 })
  const log = openLog({ name: 'api', destination: { write: () => undefined } })
  const { app } = await openTestApi({ limitUser, log })
  const tokens = await Promise.all(
    Array.from({ length: users }, (_, index) => signTestToken({ sub: `user-${index}`, exp: 4_000_000_000 })),
  )
  const body = JSON.stringify({ purpose: 'scan', content_type: 'image/png', content_length: 5 })
  const send = async (index: number): Promise<Response> => {
    const token = random() < 0.05 ? `wrong-${index}` : (tokens[Math.floor(random() * users)] ?? '')
    const headers = { Authorization: `Bearer ${token}`, 'Content-Length': String(body.length) }
    return random() < 0.9
      ? app.request('/images/presigned-url', { method: 'POST', headers, body })
      : app.request(`/images/scans/20260101/user-${index}/${'0'.repeat(32)}/metadata`, { headers })
  }
  const sendMany = async (from: number, to: number) => {
    for (let index = from; index < to; index += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, offset) => send(index + offset)))
    }
  }
  await sendMany(0, Math.min(warmUp, count))
  const before = heapMb()
  await sendMany(warmUp, warmUp + count)
  const grownMb = heapMb() - before
  assert.ok(grownMb < mayGrowMb, `the heap grew by ${grownMb.toFixed(1)} MB over ${count} requests`)
}

const heapMb = () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void // what --expose-gc adds
  collect()
  return process.memoryUsage().heapUsed / 1e6
}
