import assert from 'node:assert/strict'
import test from 'node:test'

import { eventSchemas } from '#shared/domain/events.ts'

import { findContractBreaks } from '../../tools/support/contract-breaks.ts'
import { readContractFiles } from '../../tools/support/contract-files.ts'
import { describeContracts } from '../../tools/support/contracts.ts'

const contracts = readContractFiles('contracts')

test('the contract files are as the schemas say: `npm run contracts` writes them', () => {
  assert.deepEqual(contracts, describeContracts())
})

test('there is a contract of every event and of the vision job', () => {
  assert.deepEqual([...contracts.keys()].sort(), [...Object.keys(eventSchemas), 'vision-job'].sort())
})

test('the contracts break nothing of the last release', () => {
  const released = readContractFiles('contracts/released')
  assert.ok(released.size >= 5)
  assert.deepEqual(findContractBreaks(released, contracts), [])
})

test('no contract closes an object to fields that it does not name', () => {
  assert.doesNotMatch(JSON.stringify([...contracts.values()]), /additionalProperties|unevaluatedProperties/)
})
