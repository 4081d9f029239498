import { z } from 'zod'

/** A manifest as YAML gives it, parsed as far as every kind is alike. */
export const manifestSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    labels: z.record(z.string(), z.string()).default({}),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
})
export type Manifest = z.infer<typeof manifestSchema>

const labels = z.record(z.string(), z.string())
const named = z.looseObject({ name: z.string() })
const port = z.union([z.string(), z.number()])

const probeSchema = z.looseObject({
  httpGet: z.looseObject({ path: z.string(), port }).optional(),
  periodSeconds: z.number(),
  failureThreshold: z.number().default(3),
})

const environmentSchema = z.union([
  z.strictObject({ name: z.string(), value: z.string() }),
  z.strictObject({
    name: z.string(),
    valueFrom: z.strictObject({ secretKeyRef: z.strictObject({ name: z.string(), key: z.string() }) }),
  }),
])

const containerSchema = z.looseObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).default([]),
  envFrom: z.array(z.strictObject({ configMapRef: z.strictObject({ name: z.string() }) })).default([]),
  env: z.array(environmentSchema).default([]),
  ports: z.array(z.looseObject({ name: z.string(), containerPort: z.number() })).default([]),
  startupProbe: probeSchema.optional(),
  livenessProbe: probeSchema.optional(),
  readinessProbe: probeSchema.optional(),
  resources: z.looseObject({ requests: labels, limits: labels }),
  securityContext: z.unknown(),
  volumeMounts: z.array(named).default([]),
})
export type Container = z.infer<typeof containerSchema>

const podSchema = z.looseObject({
  serviceAccountName: z.string().optional(),
  automountServiceAccountToken: z.boolean().optional(),
  enableServiceLinks: z.boolean().optional(),
  terminationGracePeriodSeconds: z.number().default(30),
  securityContext: z.unknown(),
  containers: z.tuple([containerSchema]),
})

/** What runs pods: a Deployment or a Job. */
const workloadSchema = manifestSchema.extend({
  spec: z.looseObject({
    replicas: z.number().optional(),
    selector: z.looseObject({ matchLabels: labels }).optional(),
    template: z.looseObject({ metadata: z.looseObject({ labels }), spec: podSchema }),
  }),
})
export type Workload = z.infer<typeof workloadSchema>

export const ofKind = (manifests: readonly Manifest[], ...kinds: string[]): Manifest[] =>
  manifests.filter(({ kind }) => kinds.includes(kind))

/** @throws when a pod is more than the tests look at: two containers, say, or a variable from elsewhere */
export const workloadsOf = (manifests: readonly Manifest[], ...kinds: ('Deployment' | 'Job')[]): Workload[] =>
  ofKind(manifests, ...kinds).map((manifest) => workloadSchema.parse(manifest))

/** The workloads of our image, not those that an overlay brings along for development. */
export const ownWorkloads = (manifests: readonly Manifest[], ...kinds: ('Deployment' | 'Job')[]): Workload[] =>
  workloadsOf(manifests, ...kinds).filter(({ spec }) => spec.template.spec.containers[0].command[0] === 'node')

export const containerOf = ({ spec }: Workload): Container => spec.template.spec.containers[0]

export const matches = (selector: Readonly<Record<string, string>>, having: Readonly<Record<string, string>>) =>
  Object.entries(selector).every(([name, value]) => having[name] === value)
