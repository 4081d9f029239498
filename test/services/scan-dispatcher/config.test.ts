import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { dispatchPolicies, findMisfit } from '#shared/domain/dispatch-policy.ts'
import { purposeRules } from '#shared/domain/purposes.ts'
import { readConfig } from '#shared/runtime/config.ts'

import { dispatcherVariables } from '../../../services/scan-dispatcher/config.ts'

const JOBS_QUEUE_URL = 'https://sqs.eu-central-1.amazonaws.com/123456789012/vision-analysis-jobs.fifo'
const read = (DISPATCH_PURPOSES?: string) =>
  readConfig(dispatcherVariables, { JOBS_QUEUE_URL, DISPATCH_PURPOSES }).DISPATCH_PURPOSES

suite('DISPATCH_PURPOSES', () => {
  test('is scan, or the purposes that it names', () => {
    assert.deepEqual(
      [read(), read(''), read('scan'), read(' chat, scan ')],
      [['scan'], ['scan'], ['scan'], ['chat', 'scan']],
    )
  })

  for (const text of ['profile', 'scan,profile', 'scans', 'Scan', ',', 'toString']) {
    test(`does not take ${text}, and says what it takes`, () => {
      assert.throws(() => read(text), /DISPATCH_PURPOSES: .*For example: DISPATCH_PURPOSES=scan/)
    })
  }

  test('says why profile is not among them', () => {
    assert.throws(() => read('profile'), /is not of scan, chat alone \(the keys of profile carry no date\)/)
  })
})

suite('the policy table', () => {
  const policy = { minBytes: 10, maxBytes: 20, minPixels: 100, maxPixels: 200 }
  const image = { size: 10, width: 10, height: 10 }

  test('has limits that are inclusive', () => {
    assert.equal(findMisfit(policy, image), undefined)
    assert.equal(findMisfit(policy, { size: 20, width: 20, height: 10 }), undefined)
    for (const size of [9, 21]) assert.equal(findMisfit(policy, { ...image, size }), 'size')
    for (const width of [9, 21]) assert.equal(findMisfit(policy, { ...image, width }), 'pixels')
  })

  test('takes by itself all that a purpose accepts, of purposes whose keys carry a date', () => {
    for (const name of ['scan', 'chat'] as const) {
      const { minBytes, maxBytes, maxPixels, dated } = purposeRules(name)
      assert.deepEqual(
        { ...dispatchPolicies[name], dated },
        { minBytes, maxBytes, minPixels: 1, maxPixels, dated: true },
      )
    }
  })
})
