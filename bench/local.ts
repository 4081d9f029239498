import { setTimeout as sleep } from 'node:timers/promises'

import { openLocalEventLog } from '../tools/support/local-system.ts'
import { askTicket, putFile } from '../test/support/client.ts'
import { goodPhoto } from '../test/support/images.ts'
import { startSystem, temporaryDirectory, type RunningSystem } from '../test/support/local-system.ts'
import { median } from './median.ts'

const uploads = 300
const warmUps = 50
const idleSeconds = 20
/** What the first page of the documentation promises. */
const promisedMs = 50

/**
 * The local system as a newcomer meets it: start, one upload after the other, rest. `ratio` is the promised time from
 * PUT to event over the measured one.
 */
export const benchLocal = async () => {
  const directory = temporaryDirectory()
  const started = performance.now()
  const running = await startSystem(directory.path)
  const readyMs = performance.now() - started
  try {
    const delays = await Promise.race([measureDelays(running), running.died])
    const idle = await measureIdle(running)
    const putToEventMs = median(delays)
    return {
      ratio: round(promisedMs / putToEventMs),
      ready_ms: round(readyMs),
      put_to_event_median_ms: round(putToEventMs),
      put_to_event_p99_ms: round(delays.toSorted((a, b) => a - b)[Math.floor(delays.length * 0.99)] ?? Number.NaN),
      idle_cpu_percent: round(idle.cpuPercent),
      rss_mb: round(idle.rssMb),
    }
  } finally {
    await running.end('SIGTERM')
    directory.remove()
  }
}

const round = (value: number) => Math.round(value * 100) / 100

/** Milliseconds from the answer to the PUT until another process sees the event, one upload at a time. */
const measureDelays = async ({ system }: RunningSystem) => {
  const log = openLocalEventLog(system)
  const ended = new AbortController()
  const records = await log.read({ topics: ['image.uploaded'], from: 'end', follow: true, signal: ended.signal })
  const events = records[Symbol.asyncIterator]()
  const delays: number[] = []
  for (let seed = 1; seed <= warmUps + uploads; seed++) {
    const body = await goodPhoto('image/jpeg', { seed })
    const file = { purpose: 'chat', userId: 'user-1', contentType: 'image/jpeg', body } as const
    const ticket = await askTicket(system, { ...file, expected: 'accepted', pastTheApi: false })
    await putFile(ticket, body)
    const put = performance.now()
    await events.next()
    if (seed > warmUps) delays.push(performance.now() - put)
  }
  ended.abort()
  await events.return?.()
  await log.close()
  return delays
}

const measureIdle = async ({ output }: RunningSystem) => {
  const health = /"health":"([^"]+)"/.exec(output())?.[1] ?? ''
  const before = await readMetrics(health)
  await sleep(idleSeconds * 1000)
  const after = await readMetrics(health)
  const cpuSeconds = after('process_cpu_seconds_total') - before('process_cpu_seconds_total')
  return { cpuPercent: (cpuSeconds / idleSeconds) * 100, rssMb: after('process_resident_memory_bytes') / 1_000_000 }
}

const readMetrics = async (health: string) => {
  const text = await (await fetch(`${health}/metrics`)).text()
  return (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
}
