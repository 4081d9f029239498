import type { Manifest } from './manifests.ts'

/** Compiled by ajv: Kubernetes' own OpenAPI document, and KEDA's CustomResourceDefinitions. */
type Problem = { instancePath: string; keyword: string; params: unknown }
type Compiled = { (value: unknown): boolean; errors?: readonly Problem[] | null }

const core = 'IoK8sApiCoreV1'
const keda = 'ComGithubKedacoreKedaV2ApisKedaV1alpha1'
const schemaNames: Readonly<Record<string, string>> = {
  'v1 ConfigMap': `kubernetes-models/${core}ConfigMap`,
  'v1 Namespace': `kubernetes-models/${core}Namespace`,
  'v1 Service': `kubernetes-models/${core}Service`,
  'v1 ServiceAccount': `kubernetes-models/${core}ServiceAccount`,
  'apps/v1 Deployment': 'kubernetes-models/IoK8sApiAppsV1Deployment',
  'autoscaling/v2 HorizontalPodAutoscaler': 'kubernetes-models/IoK8sApiAutoscalingV2HorizontalPodAutoscaler',
  'batch/v1 Job': 'kubernetes-models/IoK8sApiBatchV1Job',
  'networking.k8s.io/v1 Ingress': 'kubernetes-models/IoK8sApiNetworkingV1Ingress',
  'networking.k8s.io/v1 NetworkPolicy': 'kubernetes-models/IoK8sApiNetworkingV1NetworkPolicy',
  'policy/v1 PodDisruptionBudget': 'kubernetes-models/IoK8sApiPolicyV1PodDisruptionBudget',
  'keda.sh/v1alpha1 ScaledObject': `@kubernetes-models/keda/${keda}ScaledObject`,
  'keda.sh/v1alpha1 TriggerAuthentication': `@kubernetes-models/keda/${keda}TriggerAuthentication`,
}

const loadSchema = async ({ apiVersion, kind }: Manifest): Promise<Compiled | undefined> => {
  const name = schemaNames[`${apiVersion} ${kind}`]
  if (name === undefined) return undefined
  const cut = name.lastIndexOf('/')
  // Its package.json is the one file that both packages let everybody import.
  const home = import.meta.resolve(`${name.slice(0, cut)}/package.json`)
  const module: unknown = await import(new URL(`_schemas/${name.slice(cut + 1)}.js`, home).href)
  return (module as { validate: Compiled }).validate // what the packages' own classes call
}

/** What is wrong with one manifest by its kind's schema, one sentence each; fields that no schema knows included. */
export const findProblems = async (manifest: Manifest): Promise<string[]> => {
  const name = `${manifest.kind} ${manifest.metadata.name}`
  const validate = await loadSchema(manifest)
  if (!validate) return [`${name}: there is no schema of ${manifest.apiVersion} ${manifest.kind}`]
  const { seen, value } = watchReads(manifest)
  const wrong = validate(value) ? [] : (validate.errors ?? [])
  return [
    ...wrong.map(
      ({ instancePath, keyword, params }) => `${name}: ${instancePath} breaks ${keyword} ${JSON.stringify(params)}`,
    ),
    ...leavesOf(manifest)
      .filter((path) => !seen.has(path))
      .map((path) => `${name}: ${path} is known to no schema`),
  ]
}

/**
 * The schemas allow fields that they don't know, as old clients must, so a misspelt one would pass. But a compiled schema
 * looks at every field that it knows, and at no other: this tells which those were.
 */
const watchReads = (whole: object) => {
  const seen = new Set<string>()
  const watch = (value: object, path: string): object =>
    new Proxy(value, {
      get: (target, name, receiver) => {
        const inner: unknown = Reflect.get(target, name, receiver)
        if (typeof name === 'symbol') return inner
        seen.add(`${path}/${name}`)
        return typeof inner === 'object' && inner !== null ? watch(inner, `${path}/${name}`) : inner
      },
    })
  return { seen, value: watch(whole, '') }
}

const leavesOf = (value: unknown, path = ''): string[] =>
  typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([name, inner]) => [`${path}/${name}`, ...leavesOf(inner, `${path}/${name}`)])
    : []
