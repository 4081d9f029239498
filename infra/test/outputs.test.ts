import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'

import { settingsOfAllKinds } from './support/settings.ts'
import { account, region, resolve, synthesise } from './support/template.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8')
/**
 * The variables of the services, with their defaults, which a range may follow. A test of theirs keeps the page equal to
 * what they read.
 */
const variables = new Map(
  page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split(' | '))
    .map(([name = '', , byDefault = '', , readers = '']) => [
      name.replace(/[|` ]/g, ''),
      { byDefault: byDefault.replace(/;.*/, ''), readers },
    ]),
)

/** Read by the consumer beside this template, which docs/configuration.md leaves to docs/deploy-aws.md. */
const ownVariables = ['CDN_DISTRIBUTION_ID']

const environmentOf = (settings: unknown) => {
  const { template } = synthesise(settings)
  return new Map(
    Object.values(template.Outputs).map(({ Description, Value }) => [Description, String(resolve(template, Value))]),
  )
}

test('the outputs are the variables of the services by name, and hold every one that they require', () => {
  const required = [...variables].filter(([, { byDefault }]) => byDefault === 'required').map(([name]) => name)
  assert.ok(required.length >= 7, page)
  for (const settings of Object.values(settingsOfAllKinds)) {
    const environment = environmentOf(settings)
    for (const name of environment.keys()) {
      assert.ok(variables.has(name) || ownVariables.includes(name), `nobody reads ${name}`)
    }
    for (const name of required) assert.ok(environment.get(name), `${name} has no output`)
  }
})

test('the outputs lead to what the template makes', () => {
  assert.deepEqual(Object.fromEntries(environmentOf({})), {
    AWS_REGION: region,
    BUCKET_ACCOUNT: account,
    S3_BUCKET: `image-intake-${account}-${region}`,
    STATE_BUCKET: `image-intake-state-${account}-${region}`,
    UPLOADS_QUEUE_URL: `https://sqs.${region}.amazonaws.com/${account}/image-uploads`,
    QUARANTINE_QUEUE_URL: `https://sqs.${region}.amazonaws.com/${account}/image-quarantine`,
    JOBS_QUEUE_URL: `https://sqs.${region}.amazonaws.com/${account}/vision-analysis-jobs.fifo`,
    CDN_BASE_URL: 'https://d111111abcdef8.cloudfront.net',
    TICKET_SECONDS: '300',
    REJECTED_ACTION: 'keep',
    UPLOADS_VISIBILITY_SECONDS: '30',
  })
})

test('what the settings choose is told to the services too', () => {
  const environment = environmentOf(settingsOfAllKinds['all that can be chosen'])
  const chosen = ['CORS_ORIGINS', 'TICKET_SECONDS', 'REJECTED_ACTION', 'KAFKA_SASL_MECHANISM', 'KAFKA_SSL']
  assert.deepEqual(
    chosen.map((name) => environment.get(name)),
    ['https://app.example.com,https://www.example.com:8443', '900', 'delete', 'aws-msk-iam', 'true'],
  )
  assert.equal(environment.get('CDN_DISTRIBUTION_ID'), 'E1EXAMPLE')
})

test("the uploads queue's visibility is that which the watcher asks for by default", () => {
  const byDefault = variables.get('UPLOADS_VISIBILITY_SECONDS')?.byDefault
  assert.equal(byDefault, `\`${environmentOf({}).get('UPLOADS_VISIBILITY_SECONDS') ?? ''}\``)
})

test('the default settings are the defaults of the services', () => {
  const environment = environmentOf({})
  for (const name of ['TICKET_SECONDS', 'REJECTED_ACTION']) {
    assert.equal(variables.get(name)?.byDefault, `\`${environment.get(name) ?? ''}\``)
  }
})
