import { openS3, openSqs } from '#shared/adapters/aws/clients.ts'
import { planProvision, provision } from '#shared/adapters/provision.ts'
import { planResources, queueNames } from '#shared/domain/resources.ts'
import { readConfig } from '#shared/runtime/config.ts'

import { runTool, UsageError } from './support/run-tool.ts'
import { provisionVariables } from './support/variables.ts'

const usage = `npm run provision [-- --dry-run]
Makes the buckets and queues of the resources table, on AWS or on the S3 and SQS that the environment names
(AWS_REGION, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_SQS, S3_BUCKET, STATE_BUCKET, CORS_ORIGINS), and says what it changed.
What is right already is left alone. --dry-run changes nothing and says what would be changed.`

const options = { 'dry-run': { type: 'boolean' } } as const

const tell = (changes: readonly string[]) =>
  console.log(changes.length > 0 ? changes.join('\n') : 'nothing to do: all is as it should be')

await runTool({ usage, options }, async ({ values, positionals }) => {
  if (positionals.length > 0) throw new UsageError(`${positionals.join(' ')} is not understood`)
  const config = readConfig(provisionVariables, process.env)
  const resources = planResources({ bucket: config.S3_BUCKET, stateBucket: config.STATE_BUCKET }, config.CORS_ORIGINS)
  const clients = { s3: openS3(config), sqs: openSqs(config), region: config.AWS_REGION }
  if (values['dry-run'] === true) {
    tell(await planProvision(clients, resources))
    return
  }
  const { changes, queueUrl } = await provision(clients, resources)
  tell(changes)
  console.log(`UPLOADS_QUEUE_URL=${queueUrl(queueNames.uploads)}`)
  console.log(`QUARANTINE_QUEUE_URL=${queueUrl(queueNames.quarantine)}`)
  console.log(`JOBS_QUEUE_URL=${queueUrl(queueNames.jobs)}`)
})
