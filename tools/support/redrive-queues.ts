import { awsVariables, openSqs } from '#shared/adapters/aws/clients.ts'
import { sqsMessageQueue } from '#shared/adapters/sqs/message-queue.ts'
import type { LocalSystem } from '#shared/domain/local-mode.ts'
import { queueNames } from '#shared/domain/resources.ts'
import { readConfig, urlSchema, variable } from '#shared/runtime/config.ts'

import { findLocalSystem } from './local-system.ts'
import type { RedrivePath } from './redrive.ts'

type Environment = Readonly<Record<string, string | undefined>>

const variableNames: Readonly<Record<string, string>> = {
  [queueNames.uploads]: 'UPLOADS_QUEUE_URL',
  [queueNames.quarantine]: 'QUARANTINE_QUEUE_URL',
  [queueNames.jobs]: 'JOBS_QUEUE_URL',
}

/** The queues of a path: those of the environment when it names any, else of the running local system. */
export const openRedriveQueues = (path: RedrivePath) => {
  const isNamed = Object.values(variableNames).some((name) => process.env[name])
  const environment = isNamed ? process.env : environmentOf(findLocalSystem())
  const urls = findQueueUrls(path, environment)
  const client = openSqs(readConfig(awsVariables, environment))
  return {
    from: sqsMessageQueue({ client, queueUrl: urls.from }),
    to: sqsMessageQueue({ client, queueUrl: urls.to }),
    close: () => client.destroy(),
  }
}

/**
 * Where the queues of a path are. A dead-letter queue has no variable of its own: it stands beside its queue, under the
 * name of the resources table.
 */
export const findQueueUrls = ({ from, to }: RedrivePath, environment: Environment) => {
  const variables = [from, to].flatMap((queue) => {
    const name = variableNames[queue]
    return name === undefined ? [] : [[name, queueVariable(queue)] as const]
  })
  const urls = readConfig(Object.fromEntries(variables), environment)
  const urlOf = (queue: string) => urls[variableNames[queue] ?? '']
  const toUrl = urlOf(to) ?? ''
  return { from: urlOf(from) ?? toUrl.replace(/[^/]+$/, from), to: toUrl }
}

const queueVariable = (queue: string) =>
  variable(`Address of the queue ${queue}.`, `https://sqs.eu-central-1.amazonaws.com/123456789012/${queue}`, urlSchema)

const environmentOf = (system: LocalSystem): Environment => ({
  AWS_REGION: system.region,
  AWS_ENDPOINT_URL_SQS: system.aws_url,
  AWS_ACCESS_KEY_ID: system.access_key_id,
  AWS_SECRET_ACCESS_KEY: system.secret_access_key,
  UPLOADS_QUEUE_URL: system.uploads_queue_url,
  QUARANTINE_QUEUE_URL: system.quarantine_queue_url,
  JOBS_QUEUE_URL: system.jobs_queue_url,
})
