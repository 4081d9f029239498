import assert from 'node:assert/strict'
import test from 'node:test'

import { queueNames } from '../../shared/domain/resources.ts'
import { accessTable, roleNames, type RoleName } from '../access.ts'
import { decide, readPolicies, roleArn, type Policies } from './support/policies.ts'
import { account, region, synthesise } from './support/template.ts'

const images = `arn:aws:s3:::image-intake-${account}-${region}`
const state = `arn:aws:s3:::image-intake-state-${account}-${region}`

type Place = { resource: string; context?: Record<string, string> }

/** Everything that a call may be tried on; the names are those of the expectations. */
const places: Readonly<Record<string, Place>> = {
  'a scan': { resource: `${images}/scans/20260101/user-1/00` },
  'a profile image': { resource: `${images}/profiles/user-1/00` },
  'a chat image': { resource: `${images}/chat/20260101/user-1/00` },
  'an object of no purpose': { resource: `${images}/other/00` },
  'an object whose prefix only begins like one': { resource: `${images}/scans-old/00` },
  "the images' bucket": { resource: images },
  'the keys of scans': { resource: images, context: { 's3:prefix': 'scans/20260101/' } },
  'the keys of profile images': { resource: images, context: { 's3:prefix': 'profiles/user-1/00' } },
  'the keys of no purpose': { resource: images, context: { 's3:prefix': 'other/' } },
  'a verdict': { resource: `${state}/verdicts/scans/20260101/user-1/00` },
  'a job': { resource: `${state}/jobs/00` },
  'another state': { resource: `${state}/other/00` },
  "the state's bucket": { resource: state },
  'the keys of verdicts': { resource: state, context: { 's3:prefix': 'verdicts/' } },
  'the keys of jobs': { resource: state, context: { 's3:prefix': 'jobs/' } },
  'the keys of all state': { resource: state, context: { 's3:prefix': '' } },
  'a log of the CDN': { resource: `arn:aws:s3:::image-intake-logs-${account}-${region}/a.gz` },
  'a bucket of another region': { resource: `arn:aws:s3:::image-intake-${account}-us-east-1/scans/20260101/user-1/00` },
  ...Object.fromEntries(
    Object.entries(queueNames).map(([role, name]) => [
      `the queue ${role}`,
      { resource: `arn:aws:sqs:${region}:${account}:${name}` },
    ]),
  ),
  'the distribution': { resource: `arn:aws:cloudfront::${account}:distribution/E1EXAMPLE` },
  'another distribution': { resource: `arn:aws:cloudfront::${account}:distribution/E2EXAMPLE` },
}

/** Calls that nobody needs, besides those of the table. */
const strangers = [
  's3:PutObjectAcl',
  's3:PutObjectTagging',
  's3:GetObjectTagging',
  's3:AbortMultipartUpload',
  's3:ListBucketMultipartUploads',
  's3:RestoreObject',
  's3:GetBucketPolicy',
  's3:PutBucketPolicy',
  's3:PutBucketNotification',
  's3:PutLifecycleConfiguration',
  's3:DeleteBucket',
  'sqs:PurgeQueue',
  'sqs:DeleteQueue',
  'sqs:SetQueueAttributes',
  'sqs:StartMessageMoveTask',
  'cloudfront:UpdateDistribution',
  'cloudfront:GetInvalidation',
  'iam:PassRole',
  'kms:Decrypt',
]
const calls = [...new Set([...accessTable.flatMap((row) => row.calls), ...strangers])].filter(
  (call) => !call.startsWith('kafka-cluster:'),
)

/** What is signed as a ticket is: else nobody could put an image, and nothing would be seen of the roles. */
const asTicket = { 's3:authType': 'REST-QUERY-STRING', 's3:signatureAge': '1000', 's3:if-none-match': '*' }

const isImage = (place: string) => /^(a scan|a profile image|a chat image|an object)/.test(place)

const allowedOf = (policies: Policies, role: RoleName) =>
  Object.entries(places).flatMap(([place, { resource, context }]) =>
    calls
      .filter((action) => {
        const signed = action === 's3:PutObject' && isImage(place) ? asTicket : {}
        const call = { action, resource, caller: { role: roleArn(role) }, context: { ...context, ...signed } }
        return decide(policies, call) === 'allowed'
      })
      .map((action) => `${action} on ${place}`),
  )

const on = (places: readonly string[], ...names: string[]) =>
  places.flatMap((place) => names.map((name) => `${name} on ${place}`))

const everyImage = ['a scan', 'a profile image', 'a chat image']
const imageKeys = ['the keys of scans', 'the keys of profile images']
/** HeadBucket is s3:ListBucket without a prefix. */
const asksForImages = on(["the images' bucket", ...imageKeys], 's3:ListBucket')

const apiMay = [
  ...on(everyImage, 's3:PutObject', 's3:GetObject', 's3:DeleteObject', 's3:DeleteObjectVersion'),
  ...asksForImages,
  ...on(imageKeys, 's3:ListBucketVersions'),
  ...on(['a verdict'], 's3:GetObject'),
  ...on(["the state's bucket", 'the keys of verdicts'], 's3:ListBucket'),
]
const watcherMay = [
  ...on(everyImage, 's3:GetObject', 's3:GetObjectVersion'),
  ...asksForImages,
  ...on(['a verdict'], 's3:GetObject', 's3:PutObject'),
  ...on(["the state's bucket", 'the keys of verdicts'], 's3:ListBucket'),
  ...on(
    ['the queue uploads'],
    ...['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility', 'sqs:GetQueueAttributes'],
  ),
  ...on(['the queue quarantine'], 'sqs:SendMessage', 'sqs:GetQueueAttributes'),
]
const dispatcherMay = [
  ...on(['the queue jobs'], 'sqs:SendMessage', 'sqs:GetQueueAttributes'),
  ...on(['a job'], 's3:GetObject', 's3:PutObject'),
  ...on(["the state's bucket", 'the keys of jobs'], 's3:ListBucket'),
]

const workerMay = [
  ...on(['the queue jobs'], 'sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'),
  ...on(['a scan', 'a chat image'], 's3:GetObject', 's3:GetObjectVersion'),
  ...on(["the images' bucket", 'the keys of scans'], 's3:ListBucket'),
  ...on(['a job'], 's3:GetObject', 's3:PutObject'),
  ...on(["the state's bucket", 'the keys of jobs'], 's3:ListBucket'),
]
const byDefault = {
  api: apiMay,
  'upload-watcher': watcherMay,
  'scan-dispatcher': dispatcherMay,
  'vision-worker': [],
  'cdn-invalidator': [],
}

type Expectation = { settings: unknown; may: Readonly<Record<RoleName, readonly string[]>> }

const expectations: Readonly<Record<string, Expectation>> = {
  'with the default settings': { settings: {}, may: byDefault },
  'where rejected objects are deleted': {
    settings: { rejectedAction: 'delete' },
    may: {
      ...byDefault,
      'upload-watcher': [...watcherMay, ...on(everyImage, 's3:DeleteObject', 's3:DeleteObjectVersion')],
    },
  },
  'with a vision worker': { settings: { visionWorker: true }, may: { ...byDefault, 'vision-worker': workerMay } },
  'with the consumer that invalidates': {
    settings: { cdn: { invalidation: true } },
    may: { ...byDefault, 'cdn-invalidator': on(['the distribution'], 'cloudfront:CreateInvalidation') },
  },
}

for (const [circumstance, { settings, may }] of Object.entries(expectations)) {
  for (const role of roleNames) {
    test(`${circumstance}, ${role} may make its calls and none of the others`, () => {
      const policies = readPolicies(synthesise(settings).template)
      assert.deepEqual(allowedOf(policies, role).toSorted(), may[role].toSorted())
    })
  }
}

test('no right is given over an unencrypted connection', () => {
  const policies = readPolicies(synthesise({ rejectedAction: 'delete' }).template)
  for (const role of roleNames) {
    for (const [place, { resource, context }] of Object.entries(places)) {
      if (!/:(s3|sqs):/.test(resource)) continue
      for (const action of calls) {
        const call = { action, resource, caller: { role: roleArn(role) } }
        const open = { ...context, ...asTicket, 'aws:SecureTransport': 'false', 's3:TlsVersion': '1.2' }
        assert.notEqual(decide(policies, { ...call, context: open }), 'allowed', `${role}: ${action} on ${place}`)
      }
    }
  }
})

const cluster = `arn:aws:kafka:${region}:${account}:cluster/events/0a1b-2`
const topic = (name: string) => `arn:aws:kafka:${region}:${account}:topic/events/0a1b-2/${name}`
const kafkaCalls = [...new Set(accessTable.flatMap((row) => row.calls))].filter((call) => call.startsWith('kafka-'))
const written: Readonly<Record<RoleName, readonly string[]>> = {
  api: [],
  'upload-watcher': ['image.uploaded', 'image.rejected', 'image.deleted'],
  'scan-dispatcher': ['scan.dispatched', 'image.uploaded.dead-letter', 'image.deleted.dead-letter'],
  'vision-worker': ['scan.analyzed'],
  'cdn-invalidator': ['image.deleted.dead-letter', 'image.rejected.dead-letter'],
}
const read: Readonly<Record<RoleName, readonly string[]>> = {
  api: [],
  'upload-watcher': [],
  'scan-dispatcher': ['image.uploaded', 'image.deleted'],
  'vision-worker': [],
  'cdn-invalidator': ['image.deleted', 'image.rejected'],
}
const everyTopic = [...new Set([...Object.values(written), ...Object.values(read)].flat())]

test('on MSK each service writes and reads its own topics alone, under its own group', () => {
  const { template } = synthesise({ mskCluster: cluster, visionWorker: true, cdn: { invalidation: true } })
  const policies = readPolicies(template)
  for (const role of roleNames) {
    const may = (action: string, resource: string) =>
      decide(policies, { action: `kafka-cluster:${action}`, resource, caller: { role: roleArn(role) } }) === 'allowed'
    assert.deepEqual(new Set(everyTopic.filter((name) => may('WriteData', topic(name)))), new Set(written[role]), role)
    assert.deepEqual(new Set(everyTopic.filter((name) => may('ReadData', topic(name)))), new Set(read[role]), role)
    const group = cluster.replace(':cluster/', ':group/')
    const groups = ['scan-dispatcher', 'cdn-invalidator', 'other'].filter((name) =>
      may('AlterGroup', `${group}/${name}`),
    )
    assert.deepEqual(groups, read[role].length > 0 ? [role] : [])
    assert.equal(may('Connect', cluster), role !== 'api')
    // Who reads or writes a topic must be allowed to describe it; all but the worker check settings at the start.
    for (const name of [...written[role], ...read[role]]) {
      assert.ok(may('DescribeTopic', topic(name)), name)
      assert.equal(may('DescribeTopicDynamicConfiguration', topic(name)), role !== 'vision-worker', name)
    }
    for (const name of everyTopic) {
      assert.equal(may('AlterTopic', topic(name)) || may('DeleteTopic', topic(name)), false)
      // The one topic that `npm run topics` leaves to its consumer.
      const makes = role === 'cdn-invalidator' && name === 'image.rejected.dead-letter'
      assert.equal(may('CreateTopic', topic(name)), makes, `${role} ${name}`)
    }
  }
})

test('without MSK no role names Kafka', () => {
  const { roles } = readPolicies(synthesise().template)
  const given = roles.flatMap(({ Policies }) =>
    Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement.flatMap(({ Action }) => Action)),
  )
  assert.ok(given.length > 10)
  assert.deepEqual(
    given.filter((call) => kafkaCalls.includes(call)),
    [],
  )
})
