import assert from 'node:assert/strict'
import test from 'node:test'

import { readSettings, SettingsError } from '../settings.ts'

test('every setting has a default', () => {
  assert.deepEqual(readSettings({}), {
    name: 'image-intake',
    corsOrigins: [],
    ticketSeconds: 300,
    rejectedAction: 'keep',
    visionWorker: false,
    identity: { kind: 'pod-identity', namespace: 'image-intake' },
    cdn: { logDays: 90, invalidation: false },
  })
})

const certificate = (region: string) => `arn:aws:acm:${region}:111122223333:certificate/0a1b`
const wrong: [string, unknown, RegExp][] = [
  ['a setting that is misspelt', { corsOrigin: [] }, /corsOrigin/],
  ['settings that are none', [], /^the settings: /],
  ['a name that no bucket may have', { name: 'My_Photos' }, /^name: is not 2 to 20/],
  ['a name that leaves no room', { name: 'a'.repeat(21) }, /^name: /],
  ['an origin with a path', { corsOrigins: ['https://app.example.com/'] }, /^corsOrigins\.0: is not an origin/],
  ['an origin that is a star', { corsOrigins: ['*'] }, /^corsOrigins\.0: is not an origin/],
  ['origins of any subdomain', { corsOrigins: ['https://*.example.com'] }, /^corsOrigins\.0: is not an origin/],
  ['a ticket that the API would refuse to sign', { ticketSeconds: 901 }, /^ticketSeconds: /],
  ['an action that nobody knows', { rejectedAction: 'remove' }, /^rejectedAction: /],
  ['an identity of no kind', { identity: { namespace: 'x' } }, /^identity\.kind: /],
  ['IRSA without its provider', { identity: { kind: 'irsa' } }, /^identity\.provider: /],
  ['a topic that is none', { alarmTopic: 'arn:aws:sqs:eu-central-1:111122223333:q' }, /^alarmTopic: is not the ARN/],
  ['a cluster that is none', { mskCluster: 'b-1.example.com:9098' }, /^mskCluster: is not the ARN of a cluster/],
  [
    'a certificate of another region',
    { cdn: { domain: { name: 'cdn.example.com', certificate: certificate('eu-central-1') } } },
    /^cdn\.domain\.certificate: is not of us-east-1/,
  ],
  [
    'a domain that is a URL',
    { cdn: { domain: { name: 'https://cdn.example.com', certificate: certificate('us-east-1') } } },
    /^cdn\.domain\.name: /,
  ],
]

for (const [what, given, message] of wrong) {
  test(`${what} is refused in a sentence that names it`, () => {
    assert.throws(
      () => readSettings(given),
      (error) => error instanceof SettingsError && message.test(error.message),
    )
  })
}

test('all that is wrong is told at once, one a line', () => {
  assert.throws(
    () => readSettings({ name: '', ticketSeconds: 0 }),
    (error) => {
      assert.ok(error instanceof SettingsError)
      assert.deepEqual(
        error.message.split('\n').map((line) => line.replace(/:.*/, '')),
        ['name', 'ticketSeconds'],
      )
      return true
    },
  )
})
