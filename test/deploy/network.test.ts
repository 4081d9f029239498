import assert from 'node:assert/strict'
import test from 'node:test'

import { z } from 'zod'

import { environmentOf } from './support/environment.ts'
import { allOf, installations } from './support/installations.ts'
import { containerOf, matches, ofKind, ownWorkloads, type Manifest, type Workload } from './support/manifests.ts'

const selectorSchema = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).default({}),
  matchExpressions: z
    .array(z.strictObject({ key: z.string(), operator: z.literal('In'), values: z.array(z.string()) }))
    .default([]),
})
const portsSchema = z.array(
  z.strictObject({ protocol: z.enum(['TCP', 'UDP']), port: z.union([z.string(), z.number()]) }),
)
const peersSchema = z.array(z.looseObject({})).default([])
const policySchema = z.strictObject({
  podSelector: selectorSchema,
  policyTypes: z.array(z.enum(['Ingress', 'Egress'])),
  ingress: z.array(z.strictObject({ from: peersSchema, ports: portsSchema })).default([]),
  egress: z.array(z.strictObject({ to: peersSchema, ports: portsSchema })).default([]),
})

const selects = ({ matchLabels, matchExpressions }: z.infer<typeof selectorSchema>, labels: Record<string, string>) =>
  matches(matchLabels, labels) && matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''))

const policiesFor = (manifests: readonly Manifest[], { spec }: Workload) =>
  ofKind(manifests, 'NetworkPolicy')
    .map((manifest) => policySchema.parse(manifest.spec))
    .filter(({ podSelector }) => selects(podSelector, spec.template.metadata.labels))

/** Where a pod may connect to, by protocol and port. */
const reachable = (manifests: readonly Manifest[], workload: Workload) =>
  policiesFor(manifests, workload)
    .flatMap(({ egress }) => egress)
    .flatMap(({ ports }) => ports.map(({ protocol, port }) => `${protocol} ${port}`))

/** What the program behind a pod connects to, by its environment. */
const neededPorts = (workload: Workload, manifests: readonly Manifest[]) => {
  const environment = environmentOf(workload, manifests)
  const portOf = (address: string) => {
    const { port, protocol } = new URL(address)
    return Number(port) || (protocol === 'https:' ? 443 : 80)
  }
  const speaksKafka = ['upload-watcher', 'scan-dispatcher', 'topics'].includes(workload.metadata.name)
  const brokers = speaksKafka ? (environment['KAFKA_BROKERS'] ?? '').split(',') : []
  const stores = [environment['AWS_ENDPOINT_URL_S3'], environment['AWS_ENDPOINT_URL_SQS']].map((url) =>
    url === undefined ? 443 : portOf(url),
  )
  const logins = environment['JWKS_URL'] === undefined ? [] : [portOf(environment['JWKS_URL'])]
  return [...brokers.map((broker) => portOf(`tcp://${broker}`)), ...stores, ...logins]
}

for (const installation of installations) {
  const manifests = allOf(installation)
  const own = ownWorkloads(manifests, 'Deployment', 'Job')

  test(`nothing is open in ${installation.name} that no policy opens`, () => {
    const denials = [installation.setup, installation.services].map((folder) =>
      ofKind(folder, 'NetworkPolicy').filter(({ metadata }) => metadata.name === 'default-deny'),
    )
    for (const [denial] of denials)
      assert.deepEqual(denial?.spec, { podSelector: {}, policyTypes: ['Ingress', 'Egress'] })
  })

  test(`every pod of ${installation.name} reaches names, stores, brokers and logins, by the ports in its environment`, () => {
    for (const workload of own) {
      const allowed = reachable(manifests, workload)
      for (const port of neededPorts(workload, manifests))
        assert.ok(allowed.includes(`TCP ${port}`), `${workload.metadata.name} does not reach port ${port}`)
      assert.ok(allowed.includes('UDP 53') && allowed.includes('TCP 53'))
    }
  })

  test(`only those who speak to Kafka in ${installation.name} reach its brokers`, () => {
    const ports = ['TCP 9092', 'TCP 9098']
    const speaking = own.filter((workload) => reachable(manifests, workload).some((one) => ports.includes(one)))
    assert.deepEqual(speaking.map(({ metadata }) => metadata.name).sort(), [
      'scan-dispatcher',
      'topics',
      'upload-watcher',
    ])
  })

  test(`the world reaches the API of ${installation.name} on its public port, and nothing else`, () => {
    const open = own.flatMap((workload) =>
      policiesFor(manifests, workload)
        .flatMap(({ ingress }) => ingress)
        .filter(({ from }) => from.length === 0)
        .flatMap(({ ports }) => ports.map(({ port }) => `${workload.metadata.name} ${port}`)),
    )
    assert.deepEqual(open, ['api http'])
  })

  test(`the monitoring namespace reaches the health port of every service of ${installation.name}`, () => {
    for (const workload of ownWorkloads(installation.services, 'Deployment')) {
      assert.ok(containerOf(workload).ports.some(({ name }) => name === 'health'))
      const [rule, ...others] = policiesFor(manifests, workload)
        .flatMap(({ ingress }) => ingress)
        .filter(({ ports }) => ports.some(({ port }) => port === 'health'))
      assert.deepEqual(others, [])
      const monitoring = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }
      assert.deepEqual(rule?.from, [monitoring])
    }
  })
}

test('no pod of ours reaches the metadata of its node, which would give it the rights of the node', () => {
  for (const installation of installations)
    for (const policy of ofKind(allOf(installation), 'NetworkPolicy').map(({ spec }) => policySchema.parse(spec)))
      for (const { to, ports } of policy.egress) {
        const cidrs = to.flatMap((peer) => (peer['ipBlock'] ? [blockSchema.parse(peer['ipBlock'])] : []))
        for (const { cidr, except } of cidrs)
          if (['0.0.0.0/0', '::/0'].includes(cidr)) assert.ok(except.some((part) => /^(169\.254|fd00:ec2)/.test(part)))
          else assert.notEqual(cidr, '169.254.169.254/32')
        if (to.length === 0) assert.deepEqual(ports, [{ protocol: 'TCP', port: 9092 }])
      }
})

const blockSchema = z.strictObject({ cidr: z.string(), except: z.array(z.string()).default([]) })
