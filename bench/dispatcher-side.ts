import { lifetime } from '#shared/runtime/lifetime.ts'
import { openLog } from '#shared/runtime/log.ts'
import { run } from '#shared/runtime/run.ts'

import { scanDispatcher } from '../services/scan-dispatcher/main.ts'
import { runPlainDispatcher } from './baselines/dispatcher.ts'

/** One side of the bench, in a process of its own: it tells its CPU time when asked, and ends in peace when told to. */
const [kind = ''] = process.argv.slice(2)
const variable = (name: string) => process.env[name] ?? ''

const startOurs = async () => {
  const log = openLog({ name: 'scan-dispatcher' })
  const life = lifetime({ graceMs: 10_000 })
  const running = run(await scanDispatcher(process.env)({ log, life }), life, log)
  return () => {
    life.end('the bench is over')
    return running
  }
}

const startPlain = () =>
  runPlainDispatcher({
    brokers: variable('KAFKA_BROKERS').split(','),
    queueUrl: variable('JOBS_QUEUE_URL'),
    groupId: variable('KAFKA_GROUP_ID'),
  })

const stop = kind === 'ours' ? await startOurs() : await startPlain()
process.on('message', (wish) => {
  if (wish === 'end') void stop().then(() => process.exit(0))
  else process.send?.(process.cpuUsage())
})
