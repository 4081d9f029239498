import { runProcess } from '#shared/runtime/run.ts'

import { uploadWatcher } from '../services/upload-watcher/main.ts'
import { watchByGlue } from './baselines/upload-glue.ts'

/** One side of the bench, in a process of its own: it says how much CPU it has used when asked. */
const [kind] = process.argv.slice(2)

const variable = (name: string) => process.env[name] ?? ''

const watchPlain = () =>
  watchByGlue({
    region: variable('AWS_REGION'),
    endpoint: variable('AWS_ENDPOINT_URL_S3'),
    credentials: { accessKeyId: variable('AWS_ACCESS_KEY_ID'), secretAccessKey: variable('AWS_SECRET_ACCESS_KEY') },
    queueUrl: variable('UPLOADS_QUEUE_URL'),
    stateBucket: variable('STATE_BUCKET'),
    brokers: [variable('KAFKA_BROKERS')],
    batches: kind === 'batched',
  })

process.on('message', () => process.send?.({ cpu: process.cpuUsage() }))
process.on('disconnect', () => process.exit(0))
if (kind === 'ours') await runProcess('upload-watcher', uploadWatcher(process.env))
else await watchPlain()
