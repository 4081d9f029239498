import { createServer } from 'node:http'

import { z } from 'zod'

import { readConfig, variable } from '#shared/runtime/config.ts'
import { aborted } from '#shared/runtime/lifetime.ts'
import { listen } from '#shared/runtime/listen.ts'
import { runProcess, type Part, type Start } from '#shared/runtime/run.ts'

/** What run-process.test.ts starts: a process that behaves as its first argument says. */

const part = (run: Part['run']): readonly Part[] => [{ name: 'worker', run }]
const startWith =
  (run: Part['run']): Start =>
  ({ log }) => {
    log.info('ready')
    return Promise.resolve(part(run))
  }
const never = () => new Promise<never>(() => undefined)

const behaviours: Record<string, Start> = {
  clean: startWith(({ stop }) => aborted(stop)),
  busy: startWith(async ({ stop, deadline }) => {
    await aborted(stop)
    await aborted(deadline)
  }),
  stuck: startWith(never),
  failing: startWith(() => Promise.reject(new Error('the queue is gone', { cause: new Error('Bearer opaque-token') }))),
  uncaught: startWith(() => {
    setImmediate(() => {
      throw new Error('nobody caught this')
    })
    return never()
  }),
  unhandled: startWith(() => {
    void Promise.reject(new Error('nobody handled this'))
    return never()
  }),
  'stuck in start': ({ log }) => {
    setInterval(() => undefined, 2 ** 30)
    log.info('ready')
    return never()
  },
  bug: () => Promise.reject(new TypeError('undefined is not a function')),
  config: () => {
    const name = variable('a name', 'images-1', z.string())
    readConfig({ FIRST: name, SECOND: name }, {})
    return Promise.resolve(part(never))
  },
  port: async () => {
    await listen(createServer(), '127.0.0.1', Number(process.argv[4]), 'PORT')
    return part(never)
  },
}

const [, , behaviour = '', graceMs = ''] = process.argv
await runProcess('sample', behaviours[behaviour] ?? never, { graceMs: Number(graceMs) })
