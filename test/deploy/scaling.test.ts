import assert from 'node:assert/strict'
import test from 'node:test'

import { z } from 'zod'

import { queueNames, topics } from '#shared/domain/resources.ts'

import { consumedTopics } from '../../services/scan-dispatcher/dispatcher.ts'
import { environmentOf } from './support/environment.ts'
import { allOf, installations } from './support/installations.ts'
import { ofKind, ownWorkloads, type Manifest } from './support/manifests.ts'

const texts = z.string().min(1)
const number = z.string().regex(/^\d+$/)

/** KEDA takes any text for a trigger's settings and complains in its own log: here they are what its documentation lists. */
const triggerSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('aws-sqs-queue'),
    authenticationRef: z.strictObject({ name: z.string() }),
    metadata: z.strictObject({ queueURLFromEnv: texts, queueLength: number, awsRegion: texts }),
  }),
  z.strictObject({
    type: z.literal('aws-cloudwatch'),
    authenticationRef: z.strictObject({ name: z.string() }),
    metadata: z.strictObject({
      namespace: z.literal('AWS/SQS'),
      metricName: texts,
      dimensionName: z.literal('QueueName'),
      dimensionValue: texts,
      metricStat: z.enum(['Maximum', 'Average']),
      metricStatPeriod: number,
      metricCollectionTime: number,
      targetMetricValue: number,
      minMetricValue: number,
      ignoreNullValues: z.enum(['true', 'false']),
      awsRegion: texts,
    }),
  }),
  z.strictObject({
    type: z.literal('kafka'),
    authenticationRef: z.strictObject({ name: z.string() }),
    metadata: z.strictObject({
      bootstrapServers: texts,
      consumerGroup: texts,
      topic: texts,
      lagThreshold: number,
      offsetResetPolicy: z.literal('earliest'),
      excludePersistentLag: z.enum(['true', 'false']),
      version: z.string().regex(/^\d+\.\d+\.\d+$/),
      tls: z.enum(['enable', 'disable']),
      sasl: z.literal('oauthbearer'),
      saslTokenProvider: z.literal('aws_msk_iam'),
      awsRegion: texts,
    }),
  }),
])

const scaledSchema = z.looseObject({
  scaleTargetRef: z.looseObject({ name: z.string() }),
  minReplicaCount: z.number(),
  maxReplicaCount: z.number(),
  fallback: z.looseObject({ replicas: z.number() }),
  triggers: z.array(triggerSchema),
})
const hpaSchema = z.looseObject({
  scaleTargetRef: z.looseObject({ kind: z.literal('Deployment'), name: z.string() }),
  minReplicas: z.number(),
  maxReplicas: z.number(),
})

/** How many pods each autoscaler lets its target have. */
const rangesOf = (manifests: readonly Manifest[]) => [
  ...ofKind(manifests, 'HorizontalPodAutoscaler').map(({ spec }) => {
    const { scaleTargetRef, minReplicas, maxReplicas } = hpaSchema.parse(spec)
    return { target: scaleTargetRef.name, least: minReplicas, most: maxReplicas }
  }),
  ...ofKind(manifests, 'ScaledObject').map(({ spec }) => {
    const { scaleTargetRef, minReplicaCount, maxReplicaCount } = scaledSchema.parse(spec)
    return { target: scaleTargetRef.name, least: minReplicaCount, most: maxReplicaCount }
  }),
]

const production = installations.filter(({ name }) => name === 'production').flatMap(({ services }) => services)
const environment = (name: string) => {
  const [workload] = ownWorkloads(production, 'Deployment').filter(({ metadata }) => metadata.name === name)
  assert.ok(workload)
  return environmentOf(workload, production)
}
const triggers = (name: string) => {
  const [scaled] = ofKind(production, 'ScaledObject').filter(({ metadata }) => metadata.name === name)
  return scaledSchema.parse(scaled?.spec).triggers
}

test('in production each service has one autoscaler, and no number of replicas of its own that would fight it', () => {
  const ranges = rangesOf(production)
  assert.deepEqual(ranges.map(({ target }) => target).sort(), ['api', 'scan-dispatcher', 'upload-watcher'])
  for (const { least, most, target } of ranges) assert.ok(least >= 2 && least < most, target)
  for (const { spec } of ownWorkloads(production, 'Deployment')) assert.equal(spec.replicas, undefined)
})

for (const installation of installations) {
  test(`a disruption budget of ${installation.name} lets a node be drained whatever the number of pods, one at a time`, () => {
    const budgets = ofKind(allOf(installation), 'PodDisruptionBudget')
    assert.equal(budgets.length, 3)
    for (const { spec } of budgets) {
      assert.partialDeepStrictEqual(spec, { maxUnavailable: 1, unhealthyPodEvictionPolicy: 'AlwaysAllow' })
      assert.ok(!Object.keys(z.looseObject({}).parse(spec)).includes('minAvailable'))
    }
  })
}

test("the watcher is scaled by the depth of the queue that it reads, and by that queue's age", () => {
  const [depth, age, ...others] = triggers('upload-watcher')
  assert.deepEqual(others, [])
  assert.ok(depth?.type === 'aws-sqs-queue' && age?.type === 'aws-cloudwatch')
  const { UPLOADS_QUEUE_URL, AWS_REGION } = environment('upload-watcher')
  assert.equal(depth.metadata.queueURLFromEnv, 'UPLOADS_QUEUE_URL')
  assert.equal(UPLOADS_QUEUE_URL?.split('/').at(-1), queueNames.uploads)
  assert.equal(age.metadata.dimensionValue, queueNames.uploads)
  assert.equal(age.metadata.metricName, 'ApproximateAgeOfOldestMessage')
  assert.ok(Number(age.metadata.metricCollectionTime) >= 2 * Number(age.metadata.metricStatPeriod))
  assert.deepEqual([depth.metadata.awsRegion, age.metadata.awsRegion], [AWS_REGION, AWS_REGION])
})

test('the dispatcher is scaled by the lag of its own group on each topic that it reads, and never beyond the partitions', () => {
  const {
    KAFKA_BROKERS,
    KAFKA_GROUP_ID = 'scan-dispatcher',
    KAFKA_SASL_MECHANISM,
    KAFKA_SSL,
  } = environment('scan-dispatcher')
  assert.deepEqual([KAFKA_SASL_MECHANISM, KAFKA_SSL], ['aws-msk-iam', 'true'])
  const watched = triggers('scan-dispatcher').map(({ type, metadata }) => {
    assert.ok(type === 'kafka')
    assert.equal(metadata.bootstrapServers, KAFKA_BROKERS)
    assert.equal(metadata.consumerGroup, KAFKA_GROUP_ID)
    return metadata.topic
  })
  assert.deepEqual(watched, [...consumedTopics])
  const most = rangesOf(production).find(({ target }) => target === 'scan-dispatcher')?.most
  for (const topic of watched) assert.equal(topics.find(({ name }) => name === topic)?.partitions, most)
})

test('the identity by which KEDA asks is one that is there', () => {
  const there = ofKind(production, 'TriggerAuthentication').map(({ metadata }) => metadata.name)
  for (const { authenticationRef } of [...triggers('upload-watcher'), ...triggers('scan-dispatcher')])
    assert.ok(there.includes(authenticationRef.name))
})
