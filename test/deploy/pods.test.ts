import assert from 'node:assert/strict'
import test from 'node:test'

import { marginMs, processGraceMs } from '#shared/runtime/run.ts'

import { environmentOf } from './support/environment.ts'
import { allOf, installations } from './support/installations.ts'
import { containerOf, ofKind, ownWorkloads, workloadsOf } from './support/manifests.ts'

/** Memory in MiB, as we write it. */
const mebibytes = (text = '') => Number(/^(\d+)(Mi|Gi)$/.exec(text)?.[1]) * (text.endsWith('Gi') ? 1024 : 1)

for (const installation of installations) {
  const all = workloadsOf(allOf(installation), 'Deployment', 'Job')
  const own = ownWorkloads(allOf(installation), 'Deployment', 'Job')
  const services = ownWorkloads(installation.services, 'Deployment')

  test(`every pod of ${installation.name} keeps the restricted standard, and ours also a root that nobody writes`, () => {
    for (const workload of all) {
      const { securityContext: pod } = workload.spec.template.spec
      const user = { runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } }
      assert.partialDeepStrictEqual(pod, user)
      const locked = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
      assert.partialDeepStrictEqual(containerOf(workload).securityContext, locked)
    }
    for (const workload of own) {
      assert.partialDeepStrictEqual(containerOf(workload).securityContext, { readOnlyRootFilesystem: true })
      assert.deepEqual(containerOf(workload).volumeMounts, [])
    }
  })

  test(`the namespace of ${installation.name} refuses pods that are less locked up`, () => {
    const [namespace, ...others] = ofKind(installation.services, 'Namespace')
    assert.deepEqual(others, [])
    assert.equal(namespace?.metadata.labels['pod-security.kubernetes.io/enforce'], 'restricted')
    for (const { kind, metadata } of allOf(installation))
      assert.equal(kind === 'Namespace' ? metadata.name : metadata.namespace, namespace.metadata.name)
  })

  test(`no pod of ${installation.name} gets a token of the cluster, or variables that are not written down`, () => {
    for (const { spec } of all) {
      assert.equal(spec.template.spec.automountServiceAccountToken, false)
      assert.equal(spec.template.spec.enableServiceLinks, false)
    }
  })

  test(`every pod of ${installation.name} says what it needs, and its memory has an end above that`, () => {
    for (const workload of all) {
      const { requests, limits } = containerOf(workload).resources
      assert.match(requests['cpu'] ?? '', /^\d+m$/)
      assert.equal(limits['cpu'], undefined)
      assert.ok(mebibytes(requests['memory']) > 0)
      assert.ok(mebibytes(limits['memory']) >= mebibytes(requests['memory']) * 1.5)
    }
  })

  test(`a pod of ${installation.name} is killed only after our grace and its margin`, () => {
    assert.equal(services.length, 3)
    for (const workload of services) {
      const killedMs = workload.spec.template.spec.terminationGracePeriodSeconds * 1000
      assert.ok(killedMs >= processGraceMs + marginMs + 5_000, workload.metadata.name)
    }
  })

  test(`the API of ${installation.name}, which clients are led to, answers on after it was told to stop`, () => {
    const draining = services.flatMap((workload) => {
      const { DRAIN_SECONDS } = environmentOf(workload, allOf(installation))
      return DRAIN_SECONDS === undefined ? [] : [[workload.metadata.name, DRAIN_SECONDS]]
    })
    assert.deepEqual(draining, [['api', '15']])
  })

  test(`a start of ${installation.name} may take a minute, and a process is not restarted for less of a silence`, () => {
    for (const workload of services) {
      const { startupProbe: start, livenessProbe: live } = containerOf(workload)
      for (const probe of [start, live])
        assert.ok(probe && probe.periodSeconds * probe.failureThreshold >= 60, workload.metadata.name)
    }
  })

  test(`all pods of ${installation.name} run one image with a version`, () => {
    const images = new Set(own.map((workload) => containerOf(workload).image))
    assert.equal(images.size, 1)
    assert.match([...images].join(), /(^|\/)image-intake:(?!latest$)[\w.-]+$/)
  })

  test(`a finished job of ${installation.name} removes itself, so that the next version's can be applied`, () => {
    const jobs = ofKind(installation.setup, 'Job')
    assert.equal(jobs.length, 2)
    for (const { spec } of jobs) assert.partialDeepStrictEqual(spec, { ttlSecondsAfterFinished: 600 })
    assert.deepEqual(ofKind(installation.services, 'Job'), [])
  })
}
