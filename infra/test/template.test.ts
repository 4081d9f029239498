import assert from 'node:assert/strict'
import test from 'node:test'

import { planResources, queueNames } from '../../shared/domain/resources.ts'
import { corsOrigins, settingsOfAllKinds } from './support/settings.ts'
import {
  account,
  findCycle,
  needsOf,
  region,
  resolve,
  resourceOf,
  resourcesOf,
  synthesise,
  type Template,
} from './support/template.ts'

const { template } = synthesise({ corsOrigins })
const names = {
  bucket: `image-intake-${account}-${region}`,
  stateBucket: `image-intake-state-${account}-${region}`,
}
const table = planResources(names, corsOrigins)
const [imageSpec, stateSpec] = table.buckets

/** The properties of one resource, resolved. */
const propertiesOf = (from: Template, id: string) => {
  const properties = resolve(from, resourceOf(from, id).Properties)
  // Properties are an object in every resource.
  return properties as Record<string, unknown>
}
const images = propertiesOf(template, 'Images')
const state = propertiesOf(template, 'State')

const ruleOf = (spec: NonNullable<typeof imageSpec>['lifecycle'][number]) =>
  'prefix' in spec
    ? { Id: spec.id, Status: 'Enabled', Prefix: spec.prefix, ExpirationInDays: spec.expireDays }
    : {
        Id: spec.id,
        Status: 'Enabled',
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: spec.abortMultipartDays },
      }

test('both buckets have the names and the lifecycle of the resources table', () => {
  assert.equal(images['BucketName'], imageSpec?.name)
  assert.equal(state['BucketName'], stateSpec?.name)
  assert.deepEqual(images['LifecycleConfiguration'], { Rules: imageSpec?.lifecycle.map(ruleOf) })
  assert.deepEqual(state['LifecycleConfiguration'], { Rules: stateSpec?.lifecycle.map(ruleOf) })
})

test('scans are kept for 30 days, chat images for 7, profile images for ever', () => {
  const rules = JSON.stringify(images['LifecycleConfiguration'])
  assert.match(rules, /"ExpirationInDays":30,"Id":"scan-cleanup","Prefix":"scans\/"/)
  assert.match(rules, /"ExpirationInDays":7,"Id":"chat-cleanup","Prefix":"chat\/"/)
  assert.doesNotMatch(rules, /profiles/)
})

test('CORS is that of the resources table, and is absent without origins', () => {
  assert.deepEqual(images['CorsConfiguration'], {
    CorsRules: imageSpec?.cors.map(({ origins, methods, headers, exposed, maxAgeSeconds }) => ({
      AllowedOrigins: origins,
      AllowedMethods: methods,
      AllowedHeaders: headers,
      ExposedHeaders: exposed,
      MaxAge: maxAgeSeconds,
    })),
  })
  assert.equal(state['CorsConfiguration'], undefined)
  assert.equal(propertiesOf(synthesise().template, 'Images')['CorsConfiguration'], undefined)
})

test('the image bucket tells the uploads queue of every event of the resources table, and the state bucket nobody', () => {
  const expected = imageSpec?.notifications.flatMap(({ queue, prefix, events }) =>
    events.map((event) => ({
      Event: event,
      Filter: { S3Key: { Rules: [{ Name: 'prefix', Value: prefix }] } },
      Queue: `arn:aws:sqs:${region}:${account}:${queue}`,
    })),
  )
  assert.equal(expected?.length, 9)
  assert.deepEqual(images['NotificationConfiguration'], { QueueConfigurations: expected })
  assert.equal(state['NotificationConfiguration'], undefined)
})

test('the image bucket is made after the policy that lets it send, and by no function of its own', () => {
  assert.deepEqual([resourceOf(template, 'Images').DependsOn].flat(), ['ImageUploadsPolicy'])
  const types = new Set(Object.values(template.Resources).map(({ Type }) => Type))
  assert.deepEqual(
    [...types].filter((type) => /Lambda|Custom/.test(type)),
    [],
  )
})

test('no bucket is public, all are encrypted, and those of ours know no ACLs', () => {
  const buckets = resourcesOf(template, 'AWS::S3::Bucket')
  assert.equal(buckets.length, 3)
  for (const [id] of buckets) {
    const bucket = propertiesOf(template, id)
    assert.deepEqual(bucket['PublicAccessBlockConfiguration'], {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    })
    assert.match(JSON.stringify(bucket['BucketEncryption']), /"SSEAlgorithm":"AES256"/)
    const ownership = id === 'CdnLogs' ? 'BucketOwnerPreferred' : 'BucketOwnerEnforced'
    assert.deepEqual(bucket['OwnershipControls'], { Rules: [{ ObjectOwnership: ownership }] })
  }
})

test('what lies in a bucket outlives the stack, but not a first creation that failed', () => {
  for (const [, { DeletionPolicy, UpdateReplacePolicy }] of resourcesOf(template, 'AWS::S3::Bucket')) {
    assert.deepEqual([DeletionPolicy, UpdateReplacePolicy], ['RetainExceptOnCreate', 'Retain'])
  }
})

test('versions are kept only where it is wanted, and then removed images go after their time', () => {
  assert.equal(images['VersioningConfiguration'], undefined)
  const versioned = synthesise({ noncurrentDays: 14 }).template
  const bucket = propertiesOf(versioned, 'Images')
  assert.deepEqual(bucket['VersioningConfiguration'], { Status: 'Enabled' })
  assert.deepEqual(bucket['LifecycleConfiguration'], {
    Rules: [
      ...(imageSpec?.lifecycle ?? []).map(ruleOf),
      {
        Id: 'version-cleanup',
        Status: 'Enabled',
        NoncurrentVersionExpiration: { NoncurrentDays: 14 },
        ExpiredObjectDeleteMarker: true,
      },
    ],
  })
  assert.equal(propertiesOf(versioned, 'State')['VersioningConfiguration'], undefined)
})

test('the queues are those of the resources table', () => {
  const arnOf = (name: string) => `arn:aws:sqs:${region}:${account}:${name}`
  const made = resourcesOf(template, 'AWS::SQS::Queue').map(([id]) => propertiesOf(template, id))
  const expected = table.queues.map((spec) => {
    const sources = table.queues.filter(({ deadLetters }) => deadLetters?.queue === spec.name)
    return {
      QueueName: spec.name,
      MessageRetentionPeriod: 14 * 86_400,
      VisibilityTimeout: spec.visibilitySeconds,
      SqsManagedSseEnabled: true,
      ...(spec.fifo && {
        FifoQueue: true,
        DeduplicationScope: 'messageGroup',
        FifoThroughputLimit: 'perMessageGroupId',
      }),
      ...(spec.deadLetters && {
        RedrivePolicy: {
          deadLetterTargetArn: arnOf(spec.deadLetters.queue),
          maxReceiveCount: spec.deadLetters.maxReceives,
        },
      }),
      ...(sources.length > 0 && {
        RedriveAllowPolicy: {
          redrivePermission: 'byQueue',
          sourceQueueArns: sources.map(({ name }) => arnOf(name)),
        },
      }),
    }
  })
  assert.equal(expected.length, 5)
  assert.deepEqual(made, expected)
})

test("a queue's dead letters are made before it", () => {
  assert.ok(needsOf(template, resourceOf(template, 'ImageUploads')).has('ImageUploadsDlq'))
  assert.ok(needsOf(template, resourceOf(template, 'VisionAnalysisJobs')).has('VisionAnalysisJobsDlq'))
})

test('every queue that may fail or wait has its alarm, and the topic of the settings is told', () => {
  const topic = `arn:aws:sns:${region}:${account}:on-call`
  const told = synthesise({ alarmTopic: topic }).template
  const alarms = resourcesOf(told, 'AWS::CloudWatch::Alarm').map(([id]) => propertiesOf(told, id))
  const watched = alarms.map(({ Dimensions, MetricName, Threshold }) => {
    const [dimension] = Dimensions as { Name: string; Value: string }[]
    return `${dimension?.Value ?? ''} ${String(MetricName)} > ${String(Threshold)}`
  })
  assert.deepEqual(watched, [
    `${queueNames.uploads} ApproximateAgeOfOldestMessage > 300`,
    `${queueNames.jobs} ApproximateAgeOfOldestMessage > 900`,
    `${queueNames.uploadsDeadLetters} ApproximateNumberOfMessagesVisible > 0`,
    `${queueNames.jobsDeadLetters} ApproximateNumberOfMessagesVisible > 0`,
    `${queueNames.quarantine} ApproximateNumberOfMessagesVisible > 0`,
  ])
  for (const { AlarmActions, OKActions, ComparisonOperator } of alarms) {
    assert.deepEqual([AlarmActions, OKActions, ComparisonOperator], [[topic], [topic], 'GreaterThanThreshold'])
  }
})

for (const [circumstance, settings] of Object.entries(settingsOfAllKinds)) {
  test(`with ${circumstance} no resources need each other in a circle, and the template can be sent as it is`, () => {
    const { template: made, bytes } = synthesise(settings)
    assert.equal(findCycle(made), undefined)
    // CloudFormation's limit of a template that no bucket holds.
    assert.ok(bytes < 51_200, `${bytes} bytes`)
  })
}

const ring = (link: object) => ({
  Resources: {
    A: { Type: 'T', Properties: { B: { 'Fn::GetAtt': ['B', 'Arn'] } }, DependsOn: [] },
    B: { Type: 'T', Properties: {}, DependsOn: [], ...link },
  },
})
const links: Record<string, object> = {
  Ref: { Properties: { list: [{ deep: { Ref: 'A' } }] } },
  GetAtt: { Properties: { a: { 'Fn::GetAtt': ['A', 'Arn'] } } },
  'GetAtt in one word': { Properties: { a: { 'Fn::GetAtt': 'A.Arn' } } },
  Sub: { Properties: { a: { 'Fn::Sub': 'arn:${A.Arn}/*' } } },
  'Sub with variables': { Properties: { a: { 'Fn::Sub': ['${x}', { x: { Ref: 'A' } }] } } },
  DependsOn: { DependsOn: 'A' },
}
for (const [kind, link] of Object.entries(links)) {
  test(`a circle by ${kind} is found`, () => {
    assert.deepEqual(findCycle(ring(link)), ['A', 'B', 'A'])
    assert.equal(findCycle(ring({})), undefined)
  })
}
