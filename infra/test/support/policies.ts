import { z } from 'zod'

import { type Call, type Decision, evaluate, policySchema, type Policy } from './evaluate.ts'
import { account, region, resolve, resourcesOf, type Template } from './template.ts'

const roleSchema = z.object({
  RoleName: z.string(),
  AssumeRolePolicyDocument: policySchema,
  Policies: z.array(z.object({ PolicyDocument: policySchema })),
})

/** The policies of a template, as they would stand in the account. */
export const readPolicies = (template: Template) => {
  const read = (value: unknown) => resolve(template, value)
  const roles = resourcesOf(template, 'AWS::IAM::Role').map(([, { Properties }]) => roleSchema.parse(read(Properties)))
  const ofBuckets = resourcesOf(template, 'AWS::S3::BucketPolicy').map(([, { Properties }]) => ({
    arn: `arn:aws:s3:::${String(read(Properties['Bucket']))}`,
    policy: policySchema.parse(read(Properties['PolicyDocument'])),
  }))
  const ofQueues = resourcesOf(template, 'AWS::SQS::QueuePolicy').flatMap(([, { Properties }]) =>
    z
      .array(z.string())
      .parse(read(Properties['Queues']))
      .map((url) => ({
        arn: `arn:aws:sqs:${region}:${account}:${url.slice(url.lastIndexOf('/') + 1)}`,
        policy: policySchema.parse(read(Properties['PolicyDocument'])),
      })),
  )
  return { roles, ofResources: [...ofBuckets, ...ofQueues] }
}

export type Policies = ReturnType<typeof readPolicies>

export const roleArn = (name: string) => `arn:aws:iam::${account}:role/image-intake-${name}-${region}`

const ownPolicies = ({ roles }: Policies, { caller }: Call): Policy[] => {
  if (!caller || !('role' in caller)) return []
  return roles
    .filter(({ RoleName }) => caller.role === `arn:aws:iam::${account}:role/${RoleName}`)
    .flatMap(({ Policies }) => Policies.map(({ PolicyDocument }) => PolicyDocument))
}

/** As a service calls AWS: over TLS, with a signature in its headers. */
const usual = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3', 's3:authType': 'REST-HEADER' }

/** What AWS would answer to a call, by the caller's own policies and those of the bucket or queue that it is made on. */
export const decide = (policies: Policies, call: Call): Decision => {
  const ofResource = policies.ofResources
    .filter(({ arn }) => call.resource === arn || call.resource.startsWith(`${arn}/`))
    .map(({ policy }) => policy)
  const whole = { ...call, context: { ...usual, ...call.context } }
  return evaluate(whole, { own: ownPolicies(policies, call), ofResource })
}
