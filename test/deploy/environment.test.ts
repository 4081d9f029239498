import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import test from 'node:test'

import { eventLogVariables, openEventLog } from '#shared/adapters/event-log.ts'
import { ConfigError, readConfig } from '#shared/runtime/config.ts'
import { healthServer } from '#shared/runtime/health.ts'
import { openMetrics } from '#shared/runtime/metrics.ts'

import { readApiConfig } from '../../services/api/config.ts'
import { environmentOf, readConfigMap, variablesOf } from './support/environment.ts'
import { allOf, installations } from './support/installations.ts'
import { containerOf, ownWorkloads, type Workload } from './support/manifests.ts'

const names = ['api', 'provision', 'scan-dispatcher', 'topics', 'upload-watcher']

/** @throws ConfigError as the program would at its start */
const readAs = ({ metadata: { name } }: Workload, environment: Record<string, string>) =>
  name === 'api'
    ? readApiConfig(variablesOf['api'] ?? {}, environment, { localMode: false })
    : readConfig(variablesOf[name] ?? {}, environment)

for (const installation of installations) {
  const manifests = allOf(installation)
  const workloads = ownWorkloads(manifests, 'Deployment', 'Job')

  test(`${installation.name} runs every service and both jobs, each by a file that there is`, () => {
    assert.deepEqual(workloads.map(({ metadata }) => metadata.name).sort(), names)
    for (const workload of workloads) {
      const [, file = '', ...rest] = containerOf(workload).command
      assert.ok(existsSync(file), `${file} is not there`)
      assert.deepEqual(rest, [])
      assert.ok(file.includes(workload.metadata.name), `${workload.metadata.name} runs ${file}`)
    }
  })

  for (const workload of workloads) {
    const { name } = workload.metadata
    test(`${name} of ${installation.name} starts with the environment that its pod gets`, async () => {
      const environment = environmentOf(workload, manifests)
      readAs(workload, environment)
      if (!('KAFKA_BROKERS' in (variablesOf[name] ?? {}))) return
      // Variables that contradict each other are found when the log is opened; nothing is connected yet.
      const { AWS_REGION } = environment
      await openEventLog({ ...readConfig(eventLogVariables, environment), AWS_REGION }).close()
    })

    test(`${name} of ${installation.name} would miss each variable that it requires`, () => {
      const environment = environmentOf(workload, manifests)
      const required = Object.entries(variablesOf[name] ?? {}).filter(
        ([, one]) => !one.schema.safeParse(undefined).success,
      )
      assert.ok(required.length > 0)
      for (const [variable] of required)
        assert.throws(() => readAs(workload, { ...environment, [variable]: '' }), ConfigError, variable)
    })

    test(`every variable in the pods of ${name} of ${installation.name} is one that it reads`, () => {
      const own = containerOf(workload).env.map((one) => one.name)
      assert.deepEqual(
        own.filter((variable) => !(variable in (variablesOf[name] ?? {}))),
        [],
      )
    })
  }

  test(`every entry of config.env of ${installation.name} is read by some process, and says nothing secret`, () => {
    const known = Object.assign({}, ...Object.values(variablesOf)) as (typeof variablesOf)[string]
    for (const variable of Object.keys(readConfigMap(manifests, 'image-intake'))) {
      assert.ok(known[variable], `${variable} is read by nobody`)
      assert.notEqual(known[variable].secret, true, `${variable} is a secret`)
    }
  })

  test(`ports and addresses of the pods of ${installation.name} are those that the programs listen on`, () => {
    for (const workload of ownWorkloads(manifests, 'Deployment')) {
      const { ports, startupProbe, livenessProbe, readinessProbe } = containerOf(workload)
      const environment = environmentOf(workload, manifests)
      const config: Record<string, unknown> = readAs(workload, environment)
      const listening = { health: config['HEALTH_PORT'], ...('PORT' in config && { http: config['PORT'] }) }
      assert.deepEqual(Object.fromEntries(ports.map((port) => [port.name, port.containerPort])), listening)
      assert.equal(config['HOST'], '0.0.0.0')
      const paths = [startupProbe, livenessProbe, readinessProbe].map((probe) => probe?.httpGet)
      assert.deepEqual(
        paths,
        ['/healthz', '/healthz', '/readyz'].map((path) => ({ path, port: 'health' })),
      )
    }
  })
}

test('the paths that probes and Prometheus ask for are those of the health server', async () => {
  const options = { host: '127.0.0.1', port: 0, registry: openMetrics(), checks: [] }
  const { url, part } = await healthServer(options)
  for (const path of ['/healthz', '/readyz', '/metrics']) assert.equal((await fetch(`${url}${path}`)).status, 200)
  const over = AbortSignal.abort()
  await part.run({ stop: over, deadline: over })
})

test('the example of every variable that a Secret gives is a right value', () => {
  for (const variables of Object.values(variablesOf))
    for (const [name, one] of Object.entries(variables).filter(([, { secret }]) => secret))
      if (!name.includes('PUBLIC_KEY')) assert.ok(one.schema.safeParse(one.example).success, name)
})
