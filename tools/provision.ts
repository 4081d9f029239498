import { openS3, openSqs } from '#shared/adapters/aws/clients.ts'
import { provision } from '#shared/adapters/provision.ts'
import { planResources, queueNames } from '#shared/domain/resources.ts'
import { readConfig } from '#shared/runtime/config.ts'

import { runTool } from './support/run-tool.ts'
import { provisionVariables } from './support/variables.ts'

const usage = `npm run provision
Makes the buckets and queues of the resources table, on AWS or on the S3 and SQS that the environment names
(AWS_REGION, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL_SQS, S3_BUCKET, STATE_BUCKET, CORS_ORIGINS).
What is right already is left alone.`

await runTool({ usage, options: {} }, async () => {
  const config = readConfig(provisionVariables, process.env)
  const names = { bucket: config.S3_BUCKET, stateBucket: config.STATE_BUCKET }
  const clients = { s3: openS3(config), sqs: openSqs(config), region: config.AWS_REGION }
  const { changes, queueUrl } = await provision(clients, planResources(names, config.CORS_ORIGINS))
  for (const change of changes) console.log(change)
  if (changes.length === 0) console.log('nothing to do: all is as it should be')
  console.log(`UPLOADS_QUEUE_URL=${queueUrl(queueNames.uploads)}`)
  console.log(`QUARANTINE_QUEUE_URL=${queueUrl(queueNames.quarantine)}`)
  console.log(`JOBS_QUEUE_URL=${queueUrl(queueNames.jobs)}`)
})
