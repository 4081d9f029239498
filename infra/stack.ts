import { Aws, BootstraplessSynthesizer, Stack, type App, type IStackSynthesizer } from 'aws-cdk-lib'
import { CfnBucketPolicy } from 'aws-cdk-lib/aws-s3'

import { planResources, queueNames, type BucketSpec, type Resources } from '../shared/domain/resources.ts'
import { makeAlarms } from './alarms.ts'
import { imagePolicy, privatePolicy } from './bucket-policies.ts'
import { makeBucket } from './buckets.ts'
import { makeCdn } from './cdn.ts'
import { acknowledge, findings, type Finding } from './findings.ts'
import { bucketArn, bucketName, distributionArn, roleArn } from './names.ts'
import { tellEnvironment, type Environment } from './outputs.ts'
import { findQueue, makeQueues } from './queues.ts'
import { makeRoles } from './roles.ts'
import type { Settings } from './settings.ts'

export const stackName = 'image-intake'

/**
 * The whole installation as one stack. It holds no asset and names no account or region, so that the template alone can be
 * deployed anywhere.
 */
export const makeStack = (app: App, settings: Settings, reasons: readonly Finding[] = findings): Stack => {
  const stack = new Stack(app, stackName, {
    description: 'image-intake: presigned image uploads in, verified events out.',
    // The library's own types don't hold under exactOptionalPropertyTypes.
    synthesizer: new BootstraplessSynthesizer() as IStackSynthesizer,
  })
  const names = { bucket: bucketName(settings, 'images'), stateBucket: bucketName(settings, 'state') }
  const resources = planResources(names, settings.corsOrigins)
  const queues = makeQueues(stack, resources.queues)
  const { noncurrentDays } = settings
  const images = makeBucket(stack, 'Images', findBucket(resources, names.bucket), { queues, noncurrentDays })
  const state = makeBucket(stack, 'State', findBucket(resources, names.stateBucket), { queues })
  const { distribution, baseUrl } = makeCdn(stack, settings, images)
  makeRoles(stack, settings, {
    bucket: (role) => bucketArn(settings, role),
    queue: (name) => findQueue(queues, name).queue.attrArn,
    distribution: distributionArn(distribution.ref),
    mskCluster: settings.mskCluster,
  })
  new CfnBucketPolicy(stack, 'ImagesPolicy', {
    bucket: images.ref,
    policyDocument: imagePolicy({
      bucketArn: images.attrArn,
      apiRoleArn: roleArn(settings, 'api'),
      ticketSeconds: settings.ticketSeconds,
      distributionArn: distributionArn(distribution.ref),
    }),
  })
  new CfnBucketPolicy(stack, 'StatePolicy', {
    bucket: state.ref,
    policyDocument: privatePolicy(state.attrArn),
  })
  makeAlarms(stack, settings)
  acknowledge(stack, settings, reasons)
  const urlOf = (name: string) => findQueue(queues, name).queue.ref
  tellEnvironment(stack, {
    AWS_REGION: Aws.REGION,
    BUCKET_ACCOUNT: Aws.ACCOUNT_ID,
    S3_BUCKET: images.ref,
    STATE_BUCKET: state.ref,
    UPLOADS_QUEUE_URL: urlOf(queueNames.uploads),
    QUARANTINE_QUEUE_URL: urlOf(queueNames.quarantine),
    JOBS_QUEUE_URL: urlOf(queueNames.jobs),
    CDN_BASE_URL: baseUrl,
    CDN_DISTRIBUTION_ID: settings.cdn.invalidation ? distribution.ref : undefined,
    ...chosenEnvironment(settings, resources),
  })
  return stack
}

/** What the services must read as the template does, or the bucket refuses what they promise. */
const chosenEnvironment = (settings: Settings, { queues }: Resources): Environment => ({
  CORS_ORIGINS: settings.corsOrigins.join(',') || undefined,
  TICKET_SECONDS: String(settings.ticketSeconds),
  REJECTED_ACTION: settings.rejectedAction,
  UPLOADS_VISIBILITY_SECONDS: queues.find(({ name }) => name === queueNames.uploads)?.visibilitySeconds.toString(),
  ...(settings.mskCluster && { KAFKA_SASL_MECHANISM: 'aws-msk-iam', KAFKA_SSL: 'true' }),
})

const findBucket = ({ buckets }: Resources, name: string): BucketSpec => {
  const found = buckets.find((spec) => spec.name === name)
  if (!found) throw new Error(`the resources table names no bucket ${name}`)
  return found
}
