import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

import { z } from 'zod'

import { allOf, installations } from './support/installations.ts'
import { containerOf, matches, ofKind, ownWorkloads, workloadsOf, type Manifest } from './support/manifests.ts'

const names = (manifests: readonly Manifest[], kind: string) =>
  ofKind(manifests, kind).map(({ metadata }) => metadata.name)
const page = readFileSync('docs/deploy-kubernetes.md', 'utf8')

const serviceSchema = z.looseObject({
  selector: z.record(z.string(), z.string()),
  ports: z.array(z.looseObject({ name: z.string(), targetPort: z.string() })),
})
const selectorSchema = z.looseObject({ selector: z.looseObject({ matchLabels: z.record(z.string(), z.string()) }) })
const backendSchema = z.looseObject({
  rules: z.array(
    z.looseObject({
      http: z.looseObject({
        paths: z.array(
          z.looseObject({
            backend: z.looseObject({
              service: z.looseObject({ name: z.string(), port: z.looseObject({ name: z.string() }) }),
            }),
          }),
        ),
      }),
    }),
  ),
})

for (const installation of installations) {
  const manifests = allOf(installation)
  const own = ownWorkloads(manifests, 'Deployment', 'Job')

  test(`every pod of ${installation.name} has a service account of its own name, which there is`, () => {
    for (const manifestsOfOne of [installation.setup, installation.services])
      for (const { metadata, spec } of ownWorkloads(manifestsOfOne, 'Deployment', 'Job')) {
        assert.equal(spec.template.spec.serviceAccountName, metadata.name)
        assert.ok(names(manifestsOfOne, 'ServiceAccount').includes(metadata.name), metadata.name)
      }
  })

  test(`every ConfigMap of ${installation.name} is made in the folder that names it`, () => {
    for (const manifestsOfOne of [installation.setup, installation.services])
      for (const workload of ownWorkloads(manifestsOfOne, 'Deployment', 'Job'))
        assert.deepEqual(
          containerOf(workload).envFrom.map(({ configMapRef }) => configMapRef.name),
          names(manifestsOfOne, 'ConfigMap'),
        )
  })

  test(`every Secret that a pod of ${installation.name} names is one that docs/deploy-kubernetes.md says how to make`, () => {
    const wanted = own.flatMap((workload) =>
      containerOf(workload).env.flatMap((one) => ('valueFrom' in one ? [one.valueFrom.secretKeyRef] : [])),
    )
    for (const { name, key } of wanted) {
      const command = new RegExp(`create secret generic ${name} .*(\\\\\\n.*)*--from-literal=${key}=`)
      assert.match(page, command)
    }
    assert.deepEqual(names(manifests, 'Secret'), [])
    assert.equal(wanted.length > 0, installation.name === 'dev')
  })

  test(`the selector of every Deployment, Service and disruption budget of ${installation.name} selects one service's pods`, () => {
    const pods = workloadsOf(manifests, 'Deployment', 'Job').map(({ spec }) => spec.template.metadata.labels)
    const selectors = [
      ...workloadsOf(manifests, 'Deployment').map(({ spec }) => spec.selector?.matchLabels ?? {}),
      ...ofKind(manifests, 'PodDisruptionBudget').map(({ spec }) => selectorSchema.parse(spec).selector.matchLabels),
      ...ofKind(manifests, 'Service').map(({ spec }) => serviceSchema.parse(spec).selector),
    ]
    for (const selector of selectors) assert.equal(pods.filter((labels) => matches(selector, labels)).length, 1)
    for (const { metadata, spec } of own)
      assert.partialDeepStrictEqual(spec.template.metadata.labels, { 'app.kubernetes.io/component': metadata.name })
  })

  test(`what a Service or the Ingress of ${installation.name} leads to is a port that is there`, () => {
    for (const service of ofKind(manifests, 'Service')) {
      const { selector, ports } = serviceSchema.parse(service.spec)
      const [target] = workloadsOf(manifests, 'Deployment').filter(({ spec }) =>
        matches(selector, spec.template.metadata.labels),
      )
      const there = target ? containerOf(target).ports.map(({ name }) => name) : []
      for (const { targetPort } of ports) assert.ok(there.includes(targetPort), targetPort)
    }
    const [ingress, ...others] = ofKind(manifests, 'Ingress')
    assert.deepEqual(others, [])
    for (const { http } of backendSchema.parse(ingress?.spec).rules)
      for (const { backend } of http.paths) {
        const [service] = ofKind(manifests, 'Service').filter(({ metadata }) => metadata.name === backend.service.name)
        assert.ok(serviceSchema.parse(service?.spec).ports.some(({ name }) => name === backend.service.port.name))
      }
  })
}
