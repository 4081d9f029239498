import assert from 'node:assert/strict'
import test from 'node:test'

import type { Call, Decision } from './support/evaluate.ts'
import { decide, readPolicies, roleArn } from './support/policies.ts'
import { account, region, synthesise } from './support/template.ts'

const bucket = `arn:aws:s3:::image-intake-${account}-${region}`
const state = `arn:aws:s3:::image-intake-state-${account}-${region}`
const distribution = `arn:aws:cloudfront::${account}:distribution/E1EXAMPLE`
const policies = readPolicies(synthesise({ ticketSeconds: 300 }).template)

/** A PUT by a ticket, as the API signs it. */
const ticket = { 's3:authType': 'REST-QUERY-STRING', 's3:signatureAge': '299999', 's3:if-none-match': '*' }
const put = (context: Record<string, string>, more: Partial<Call> = {}): Call => ({
  action: 's3:PutObject',
  resource: `${bucket}/scans/20260101/user-1/00`,
  caller: { role: roleArn('api') },
  context,
  ...more,
})
const without = (...names: (keyof typeof ticket)[]): Record<string, string> =>
  Object.fromEntries(Object.entries(ticket).filter(([name]) => !names.some((one) => one === name)))

/** Somebody with all rights of the account on S3, whom nothing but the bucket stops. */
const administrator = roleArn('administrator')
const everything = {
  RoleName: administrator.slice(administrator.indexOf('/') + 1),
  AssumeRolePolicyDocument: { Version: '2012-10-17' as const, Statement: [] },
  Policies: [
    {
      PolicyDocument: {
        Version: '2012-10-17' as const,
        Statement: [{ Effect: 'Allow' as const, Action: ['s3:*', 'sqs:*'], Resource: ['*'], Condition: {} }],
      },
    },
  ],
}
const world = { ...policies, roles: [...policies.roles, everything] }

const puts: [string, Call, Decision][] = [
  ["a ticket's PUT", put(ticket), 'allowed'],
  ['a PUT at the last moment of a ticket', put({ ...ticket, 's3:signatureAge': '300000' }), 'allowed'],
  [
    'a PUT after it, signed for longer',
    put({ ...ticket, 's3:signatureAge': '300001' }),
    'refused by OnlyWhileTheTicketLives',
  ],
  ['a PUT that would replace', put(without('s3:if-none-match')), 'refused by OnlyCreates'],
  ['a PUT of another state', put({ ...without('s3:if-none-match'), 's3:if-match': '"0"' }), 'refused by OnlyCreates'],
  [
    'a part of a multipart upload',
    put({ ...without('s3:if-none-match'), 's3:ObjectCreationOperation': 'false' }),
    'refused by OnlyCreates',
  ],
  [
    'a PUT signed in its headers',
    put({ ...without('s3:signatureAge'), 's3:authType': 'REST-HEADER' }),
    'refused by OnlyByTicket',
  ],
  ['an upload by a form', put({ ...ticket, 's3:authType': 'POST' }), 'refused by OnlyByTicket'],
  ["an administrator's ticket", put(ticket, { caller: { role: administrator } }), 'refused by OnlyTheApiPuts'],
  [
    "an administrator's copy",
    put({ 's3:authType': 'REST-HEADER' }, { caller: { role: administrator } }),
    'refused by OnlyTheApiPuts',
  ],
  ["the watcher's ticket", put(ticket, { caller: { role: roleArn('upload-watcher') } }), 'refused by OnlyTheApiPuts'],
  [
    'a PUT by nobody',
    { action: 's3:PutObject', resource: `${bucket}/scans/1`, context: { 's3:if-none-match': '*', 's3:authType': '' } },
    'refused by OnlyTheApiPuts',
  ],
  ['a PUT without TLS', put({ ...ticket, 'aws:SecureTransport': 'false' }), 'refused by OnlyEncrypted'],
  ['a PUT over TLS 1.1', put({ ...ticket, 's3:TlsVersion': '1.1' }), 'refused by OnlyNewTls'],
  ['a PUT over TLS 1.2', put({ ...ticket, 's3:TlsVersion': '1.2' }), 'allowed'],
  [
    "an administrator's PUT outside the purposes' prefixes",
    put({}, { caller: { role: administrator }, resource: `${bucket}/exports/1` }),
    'allowed',
  ],
]

for (const [what, call, expected] of puts) {
  test(`${what} is ${expected}`, () => {
    assert.equal(decide(world, call), expected)
  })
}

for (const prefix of ['scans/', 'profiles/', 'chat/']) {
  test(`under ${prefix} only the API puts, and only by a ticket`, () => {
    const resource = `${bucket}/${prefix}x`
    assert.equal(decide(world, put(ticket, { resource })), 'allowed')
    assert.equal(decide(world, put(without('s3:if-none-match'), { resource })), 'refused by OnlyCreates')
    assert.equal(decide(world, put(ticket, { resource, caller: { role: administrator } })), 'refused by OnlyTheApiPuts')
  })
}

test("a ticket's longest life is the settings'", () => {
  const longer = readPolicies(synthesise({ ticketSeconds: 900 }).template)
  assert.equal(decide(longer, put({ ...ticket, 's3:signatureAge': '900000' })), 'allowed')
  assert.equal(decide(longer, put({ ...ticket, 's3:signatureAge': '900001' })), 'refused by OnlyWhileTheTicketLives')
})

const cdn = { service: 'cloudfront.amazonaws.com' }
const read = (key: string, more: Partial<Call> = {}): Call => ({
  action: 's3:GetObject',
  resource: `${bucket}/${key}`,
  caller: cdn,
  context: { 'aws:SourceArn': distribution },
  ...more,
})
const reads: [string, Call, Decision][] = [
  ['of a scan by the CDN', read('scans/1'), 'allowed'],
  ['of a profile image by the CDN', read('profiles/1'), 'allowed'],
  ['of a chat image by the CDN', read('chat/1'), 'allowed'],
  ['of what has no purpose by the CDN', read('exports/1'), 'refused'],
  [
    'by another distribution',
    read('scans/1', { context: { 'aws:SourceArn': distribution.replace('E1', 'E2') } }),
    'refused',
  ],
  ['by a distribution that does not tell its name', read('scans/1', { context: {} }), 'refused'],
  ['of state by the CDN', read('', { resource: `${state}/verdicts/scans/1` }), 'refused'],
  ['by nobody', { action: 's3:GetObject', resource: `${bucket}/scans/1` }, 'refused'],
]
for (const [what, call, expected] of reads) {
  test(`a read ${what} is ${expected}`, () => {
    assert.equal(decide(world, call), expected)
  })
}

test('the CDN may only read', () => {
  for (const action of ['s3:PutObject', 's3:DeleteObject', 's3:ListBucket', 's3:GetObjectVersion']) {
    assert.notEqual(decide(world, read('scans/1', { action })), 'allowed', action)
    assert.notEqual(decide(world, read('', { action, resource: bucket })), 'allowed', action)
  }
})

const queue = (name: string) => `arn:aws:sqs:${region}:${account}:${name}`
const send = (name: string, context: Record<string, string>): Call => ({
  action: 'sqs:SendMessage',
  resource: queue(name),
  caller: { service: 's3.amazonaws.com' },
  context,
})
const ours = { 'aws:SourceArn': bucket, 'aws:SourceAccount': account }
const sends: [string, Call, Decision][] = [
  ['the image bucket to the uploads queue', send('image-uploads', ours), 'allowed'],
  ['the state bucket', send('image-uploads', { ...ours, 'aws:SourceArn': state }), 'refused'],
  [
    "another account's bucket of that name",
    send('image-uploads', { ...ours, 'aws:SourceAccount': '999999999999' }),
    'refused',
  ],
  ['a bucket that does not tell its account', send('image-uploads', { 'aws:SourceArn': bucket }), 'refused'],
  ['the image bucket to quarantine', send('image-quarantine', ours), 'refused'],
  ['the image bucket to the jobs', send('vision-analysis-jobs.fifo', ours), 'refused'],
  [
    'the image bucket without TLS',
    send('image-uploads', { ...ours, 'aws:SecureTransport': 'false' }),
    'refused by OnlyEncrypted',
  ],
]
for (const [who, call, expected] of sends) {
  test(`a notification by ${who} is ${expected}`, () => {
    assert.equal(decide(world, call), expected)
  })
}
