import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

import { deadLetterHeaders } from '#shared/adapters/record-handling.ts'
import {
  eventSchemas,
  imageRejectedSchema,
  imageUploadedSchema,
  scanAnalyzedSchema,
  scanDispatchedSchema,
} from '#shared/domain/events.ts'
import { followingEventId, jobId, objectEventId } from '#shared/domain/ids.ts'
import { visionJobSchema } from '#shared/domain/jobs.ts'
import { parseKey, type ObjectKey } from '#shared/domain/keys.ts'
import { maxRedrives, redriveCountName } from '#shared/domain/redrive.ts'
import { topics } from '#shared/domain/resources.ts'

import { receiptHeader } from '../../tools/support/redrive-topic.ts'
import { redrivePaths } from '../../tools/support/redrive.ts'
import { openContracts } from '../support/contracts.ts'

const page = readFileSync('docs/events.md', 'utf8')

/** The JSON examples of the page, by the heading above each. */
const examples = new Map<string, unknown>(
  [...page.matchAll(/^##+ ([^\n]+)\n(?:(?!^#|^```)[^\n]*\n)*```json\n([^]*?)\n```/gm)].map(
    ([, heading = '', json = '']) => [heading, JSON.parse(json)],
  ),
)

const keyOf = (text: string): ObjectKey => {
  const parsed = parseKey(text)
  assert.ok(parsed.ok)
  return parsed.facts.key
}

test('the page shows one example of each event and of the job, and each keeps its contract', () => {
  assert.deepEqual([...examples.keys()].sort(), [...Object.keys(eventSchemas), 'The vision job'].sort())
  assert.equal(page.match(/^```json$/gm)?.length, examples.size)
  const findProblem = openContracts()
  for (const [heading, example] of examples) {
    assert.equal(findProblem(heading === 'The vision job' ? 'vision-job' : heading, example), undefined)
  }
})

test('the ids of the examples are those that the rules give, and they tell of one another', () => {
  const uploaded = imageUploadedSchema.parse(examples.get('image.uploaded'))
  const rejected = imageRejectedSchema.parse(examples.get('image.rejected'))
  for (const { id, type, data, time } of [uploaded, rejected]) {
    const state = { bucket: data.bucket, key: keyOf(data.key), etag: data.etag, lastModified: new Date(time) }
    assert.equal(id, objectEventId(type, state))
  }
  const dispatched = scanDispatchedSchema.parse(examples.get('scan.dispatched'))
  const job = visionJobSchema.parse(examples.get('The vision job'))
  const id = jobId(uploaded.data.bucket, keyOf(uploaded.subject))
  assert.deepEqual([uploaded.data.job_id, dispatched.data.job_id, job.job_id], [id, id, id])
  assert.equal(dispatched.id, followingEventId('scan.dispatched', uploaded.id))
  const analyzed = scanAnalyzedSchema.parse(examples.get('scan.analyzed'))
  assert.deepEqual([analyzed.data.job_id, analyzed.id], [id, followingEventId('scan.analyzed', id)])
  const causes = [dispatched.data.event_id, job.event_id, analyzed.data.event_id]
  assert.deepEqual(causes, [uploaded.id, uploaded.id, uploaded.id])
})

test('the page names every topic, with the partitions and days of the resources table', () => {
  const events = topics.filter(({ name }) => !name.endsWith('.dead-letter'))
  for (const { name, partitions, retentionDays } of events) {
    assert.match(page, new RegExp(`^\\| \`${name}\` +\\|`, 'm'))
    assert.deepEqual([partitions, retentionDays], [12, 30])
  }
  assert.match(page, /kept for 30 days, in 12 partitions; dead letters in one/)
})

test('the page names every header of a dead letter and everything that can be redriven', () => {
  for (const name of [...Object.values(deadLetterHeaders), redriveCountName, receiptHeader]) {
    assert.ok(page.includes(`\`${name}\``), name)
  }
  for (const [name, { from, to }] of Object.entries(redrivePaths)) {
    assert.match(page, new RegExp(`^npm run redrive -- ${name} .*# from ${from} into ${to}$`, 'm'))
  }
  assert.ok(page.includes(`put back ${maxRedrives} times already`))
})

test('every file that the page links to is there', () => {
  for (const [, path = ''] of page.matchAll(/\]\(\.\.\/([^)]+)\)/g)) assert.ok(readFileSync(path).length > 0)
})
