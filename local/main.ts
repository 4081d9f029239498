import { createServer, type RequestListener } from 'node:http'

import { openS3, openSqs, awsVariables } from '#shared/adapters/aws/clients.ts'
import { eventLogVariables, openEventLog, type OpenedEventLog } from '#shared/adapters/event-log.ts'
import { provision } from '#shared/adapters/provision.ts'
import type { LocalSystem } from '#shared/domain/local-mode.ts'
import { planResources, purposePrefixes, queueNames, topics } from '#shared/domain/resources.ts'
import { readConfig } from '#shared/runtime/config.ts'
import { aborted, type Lifetime } from '#shared/runtime/lifetime.ts'
import { listen } from '#shared/runtime/listen.ts'
import type { Log } from '#shared/runtime/log.ts'
import { runProcess, type Part } from '#shared/runtime/run.ts'

import { api } from '../services/api/main.ts'
import { scanDispatcher } from '../services/scan-dispatcher/main.ts'
import { uploadWatcher } from '../services/upload-watcher/main.ts'
import { openLocalAws } from './aws/server.ts'
import { cdn } from './cdn/cdn.ts'
import { localVariables } from './config.ts'
import { holdDataDirectory } from './data-directory.ts'
import {
  bucketNames,
  cdnMount,
  credentials,
  describeSystem,
  queueEnvironment,
  region,
  serviceEnvironment,
  type ServiceEnvironment,
} from './environment.ts'
import { eventsDoor, eventsMount } from './events-door.ts'
import { removeLocalFile, writeLocalFile } from './local-file.ts'

type Context = { log: Log; life: Lifetime }

/** The whole system in one process: the services as they run everywhere, on an S3, SQS and CDN of this machine. */
const start = async ({ log, life }: Context): Promise<readonly Part[]> => {
  const config = readConfig(localVariables, process.env)
  const data = holdDataDirectory(config.DATA_DIR)
  removeLocalFile(data.path)
  const aws = await openAws(data.path, config.AWS_PORT)
  const common = serviceEnvironment(config, data.path, aws.url)
  const events = openEventLog(readConfig(eventLogVariables, common))
  aws.mount(eventsMount, eventsDoor(events))
  const queues = await prepare(common, { corsOrigins: config.CORS_ORIGINS, events }, log)
  const environment = { ...common, ...queueEnvironment(queues) }
  const contextOf = (name: string) => ({ log: log.child({ service: name }), life })

  const apiParts = await api({ ...environment, PORT: String(config.PORT) }, { localMode: true })(contextOf('api'))
  const services = [
    ...apiParts.parts,
    ...(await uploadWatcher(environment)(contextOf('upload-watcher'))),
    ...(await scanDispatcher(environment)(contextOf('scan-dispatcher'))),
  ]
  const system = describeSystem(common, queues, apiParts.url)
  writeLocalFile(data.path, system)
  log.info({ api_url: system.api_url, aws_url: system.aws_url, data: data.path }, 'image-intake is ready')
  if (process.stdout.isTTY) process.stdout.write(greeting(system))
  const releaseData = async () => {
    await events.close()
    removeLocalFile(data.path)
    data.release()
  }
  return [
    ...services,
    { name: 'local S3 and SQS', last: true, run: ({ deadline }) => aws.serve(deadline, releaseData) },
  ]
}

/** For people, between the lines of the log. */
const greeting = ({ api_url, aws_url }: LocalSystem) => `
  image-intake is ready.

  API            ${api_url}  (calls and errors: ${api_url}/docs)
  S3 and SQS     ${aws_url}

  In a second terminal:  npm run upload -- photo.jpg

`

/** S3, SQS, the CDN and the door for events on one port; they end last, when the services have put down what they had in hand. */
const openAws = async (dataPath: string, port: number) => {
  const aws = openLocalAws({ directory: dataPath, region, credentials })
  const readObject = (key: string) => aws.readObject(bucketNames.bucket, key)
  const mounts = new Map<string, RequestListener>()
  mounts.set(cdnMount, cdn({ mount: cdnMount, prefixes: purposePrefixes, readObject }))
  const server = createServer((request, response) => {
    const mount = [...mounts.keys()].find((path) => request.url?.startsWith(path))
    const handle = mounts.get(mount ?? '') ?? aws.handle
    handle(request, response)
  })
  const { port: taken } = await listen(server, '127.0.0.1', port, 'AWS_PORT')
  const serve = async (end: AbortSignal, release: () => Promise<void>) => {
    await aborted(end)
    server.close()
    server.closeAllConnections()
    aws.close()
    await release()
  }
  const mount = (path: string, handle: RequestListener) => void mounts.set(path, handle)
  return { url: `http://127.0.0.1:${taken}`, mount, serve }
}

/** Makes what the resources table names; answers where the queues are. */
const prepare = async (
  environment: ServiceEnvironment,
  { corsOrigins, events }: { corsOrigins: readonly string[]; events: OpenedEventLog },
  log: Log,
) => {
  const config = readConfig(awsVariables, environment)
  const topicChanges = await events.ensureTopics(topics)
  const clients = { s3: openS3(config), sqs: openSqs(config), region }
  const { changes, queueUrl } = await provision(clients, planResources(bucketNames, corsOrigins))
  for (const change of [...topicChanges, ...changes]) log.debug(change)
  return {
    uploads: queueUrl(queueNames.uploads),
    quarantine: queueUrl(queueNames.quarantine),
    jobs: queueUrl(queueNames.jobs),
  }
}

await runProcess('image-intake', start)
