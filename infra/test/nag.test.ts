import assert from 'node:assert/strict'
import test from 'node:test'

import { App } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'

import { findings } from '../findings.ts'
import { readSettings } from '../settings.ts'
import { makeStack } from '../stack.ts'
import { settingsOfAllKinds } from './support/settings.ts'

const violationsOf = (settings: unknown, chosen = findings) => {
  const app = new App({ analyticsReporting: false })
  const stack = makeStack(app, readSettings(settings), chosen)
  return new AwsSolutionsChecks(app)
    .validateScope(stack)
    .violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map(({ constructPath }) => `${ruleName} ${constructPath ?? ''}`),
    )
}

for (const [circumstance, settings] of Object.entries(settingsOfAllKinds)) {
  test(`with ${circumstance} cdk-nag finds nothing without a reason, and every reason is needed`, () => {
    const read = readSettings(settings)
    const reasoned = findings
      .filter(({ unless }) => !unless?.(read))
      .flatMap(({ rule, on }) => on.map((name) => `${rule.replace('NAME', read.name)} image-intake/${name}`))
    assert.deepEqual(violationsOf(settings, []).toSorted(), reasoned.toSorted())
    assert.deepEqual(violationsOf(settings), [])
  })
}

test('every reason is a sentence', () => {
  for (const { reason } of findings) assert.match(reason, /^[A-Z].{15,}\.$/)
})
