import { z } from 'zod'

import { isOrigin } from '../shared/domain/origins.ts'

const origin = z.string().refine(isOrigin, { error: 'is not an origin (scheme, host and port, without a path)' })

const arn = (service: string, resource: string) =>
  z.string().regex(new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]*:\\d{12}:${resource}$`), {
    error: `is not the ARN of a ${resource.split(/[/\\[]/)[0] ?? ''} of ${service}`,
  })

const namespace = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, { error: 'is not a name of a namespace' })

/** Who may take a service's role: a pod whose service account has the role's name. */
const identity = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('pod-identity'),
    namespace: namespace.default('image-intake'),
    /** Without it, any cluster of the account. */
    cluster: z.string().min(1).max(100).optional(),
  }),
  z.strictObject({
    kind: z.literal('irsa'),
    namespace: namespace.default('image-intake'),
    /** Of the cluster's OpenID Connect provider in IAM. */
    provider: z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:oidc-provider\/.+$/, {
      error: 'is not the ARN of an OpenID Connect provider of IAM',
    }),
  }),
])

const settingsSchema = z.strictObject({
  /** Begins the names of buckets and roles, which are told apart by account and region. */
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{1,19}$/, { error: 'is not 2 to 20 lower-case letters, digits and hyphens' })
    .default('image-intake'),
  /** Whose pages may call the API and upload: CORS_ORIGINS. */
  corsOrigins: z.array(origin).default([]),
  /** TICKET_SECONDS: how long a ticket can be used. The bucket refuses what is older. */
  ticketSeconds: z.int().min(60).max(900).default(300),
  /** REJECTED_ACTION: whether the watcher may, and does, remove what it rejects. */
  rejectedAction: z.enum(['keep', 'delete']).default('keep'),
  /** Keeps versions of images for so many days after they were removed or replaced. Absent: no versions. */
  noncurrentDays: z.int().min(1).max(365).optional(),
  /** Whether there is a role for a vision worker that keeps docs/delivery.md's contract. */
  visionWorker: z.boolean().default(false),
  identity: identity.default({ kind: 'pod-identity', namespace: 'image-intake' }),
  cdn: z
    .strictObject({
      /** With its certificate, which CloudFront wants in us-east-1. */
      domain: z
        .strictObject({
          name: z.hostname(),
          certificate: arn('acm', 'certificate/[0-9a-f-]+').refine((text) => text.split(':')[3] === 'us-east-1', {
            error: 'is not of us-east-1, where CloudFront looks for certificates',
          }),
        })
        .optional(),
      /** Days that access logs are kept; 0: none are written. */
      logDays: z.int().min(0).max(3650).default(90),
      /** Whether there is a role for the consumer that takes removed images out of the caches. */
      invalidation: z.boolean().default(false),
    })
    .prefault({}),
  /** Told when an alarm begins and ends. */
  alarmTopic: arn('sns', '[A-Za-z0-9_-]+').optional(),
  /** A cluster that the services reach by IAM (KAFKA_SASL_MECHANISM=aws-msk-iam). */
  mskCluster: arn('kafka', 'cluster/[^/]+/[^/]+').optional(),
})

/** What a team decides about its installation. */
export type Settings = z.infer<typeof settingsSchema>

/** The settings are not as the template needs them. The message lists every problem, one a line. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
}

/** Reads settings, in which everything has a default. @throws SettingsError */
export const readSettings = (given: unknown): Settings => {
  const parsed = settingsSchema.safeParse(given)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the settings'}: ${message}`)
  throw new SettingsError(problems.join('\n'))
}
