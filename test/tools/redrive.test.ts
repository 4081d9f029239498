import assert from 'node:assert/strict'
import test from 'node:test'

import fc from 'fast-check'

import { countRedrive, maxRedrives, readRedriveCount, redriveCountName } from '#shared/domain/redrive.ts'
import { ConfigError } from '#shared/runtime/config.ts'

import { findQueueUrls } from '../../tools/support/redrive-queues.ts'
import {
  describeRedrive,
  readOrder,
  redriveLetters,
  redrivePaths,
  type Letter,
  type RedriveOrder,
} from '../../tools/support/redrive.ts'
import { UsageError } from '../../tools/support/run-tool.ts'

const given = (positionals: string[], values: Record<string, string | boolean> = {}) => ({ positionals, values })
const pathOf = (name: string) => {
  const path = redrivePaths[name]
  assert.ok(path)
  return path
}

test('one grammar names topics and queues', () => {
  assert.deepEqual(Object.keys(redrivePaths), ['uploads', 'quarantine', 'jobs', 'image.uploaded', 'image.deleted'])
  assert.deepEqual(readOrder(given(['image.uploaded'])), {
    path: { kind: 'topic', from: 'image.uploaded.dead-letter', to: 'image.uploaded' },
    dryRun: false,
    limit: Infinity,
    force: false,
  })
  assert.deepEqual(readOrder(given(['quarantine'], { 'dry-run': true, limit: '7', force: true })), {
    path: { kind: 'queue', from: 'image-quarantine', to: 'image-uploads' },
    dryRun: true,
    limit: 7,
    force: true,
  })
})

const wrong: [string, ReturnType<typeof given>, RegExp][] = [
  ['no name', given([]), /name one of uploads, quarantine, jobs, image\.uploaded/],
  ['two names', given(['jobs', 'uploads']), /name one of /],
  [
    'an unknown name',
    given(['image.rejected']),
    /image\.rejected has no dead letters that can be put back: name one of /,
  ],
  ['a name that every object has', given(['constructor']), /constructor has no dead letters/],
  ...['0', '-1', '1.5', 'ten', '', '1e3'].map((limit): [string, ReturnType<typeof given>, RegExp] => [
    `--limit ${JSON.stringify(limit)}`,
    given(['jobs'], { limit }),
    /is not a whole number of at least 1/,
  ]),
]

for (const [what, arguments_, message] of wrong) {
  test(`${what} is refused with what would be right`, () => {
    assert.throws(
      () => readOrder(arguments_),
      (error) => error instanceof UsageError && message.test(error.message),
    )
  })
}

const letters = fc.array(
  fc.record({
    key: fc.string(),
    reason: fc.constantFrom('the record is not JSON', 'the key "a" is not ours', 'the key "b" is not ours'),
    since: fc.date({ noInvalidDate: true }),
    redriveCount: fc.nat(maxRedrives + 2),
  }),
)

/** Letters in memory, in batches. */
const memorySource = (all: readonly Letter[], batchSize: number) => {
  const back: Letter[] = []
  const read = async function* () {
    for (let index = 0; index < all.length; index += batchSize) {
      yield await Promise.resolve(all.slice(index, index + batchSize))
    }
  }
  const putBack = (some: readonly Letter[]) => Promise.resolve(void back.push(...some))
  return { source: { read, putBack }, back }
}

test('what is put back is the first of those that may be, in their order, as many as the limit says', async () => {
  const limits = fc.option(fc.integer({ min: 1, max: 20 }), { nil: Infinity })
  await fc.assert(
    fc.asyncProperty(
      letters,
      limits,
      fc.boolean(),
      fc.integer({ min: 1, max: 12 }),
      async (all, limit, force, size) => {
        const { source, back } = memorySource(all, size)
        const tally = await redriveLetters(source, { dryRun: false, limit, force })
        const free = all.filter(({ redriveCount }) => force || redriveCount < maxRedrives)
        assert.deepEqual(back, free.slice(0, limit))
        assert.equal(
          tally.redriven.reduce((sum, { count }) => sum + count, 0),
          back.length,
        )
        if (free.length < limit) {
          assert.equal(
            tally.heldBack.reduce((sum, { count }) => sum + count, 0),
            all.length - free.length,
          )
        }
      },
    ),
  )
})

test('a dry run tells what a run would tell, and puts nothing back', async () => {
  await fc.assert(
    fc.asyncProperty(letters, fc.integer({ min: 1, max: 20 }), async (all, limit) => {
      const [dry, wet] = [memorySource(all, 5), memorySource(all, 5)]
      const told = await redriveLetters(dry.source, { dryRun: true, limit, force: false })
      assert.deepEqual(told, await redriveLetters(wet.source, { dryRun: false, limit, force: false }))
      assert.deepEqual(dry.back, [])
    }),
  )
})

test('the report groups by reason, without what reasons quote, most first, each with its oldest', async () => {
  const at = (day: number) => new Date(Date.UTC(2026, 0, day))
  const { source } = memorySource(
    [
      { key: 'k1', reason: 'not JSON', since: at(3), redriveCount: 0 },
      { key: 'k2', reason: 'the key "x/1" is not ours', since: at(2), redriveCount: 0 },
      { key: 'k3', reason: 'the key "x/2" is not ours', since: at(1), redriveCount: 2 },
      { key: 'k4', reason: 'not JSON', since: at(4), redriveCount: 3 },
    ],
    2,
  )
  const order: RedriveOrder = { path: pathOf('jobs'), dryRun: false, limit: Infinity, force: false }
  assert.deepEqual(describeRedrive(order, await redriveLetters(source, order)), [
    '3 of vision-analysis-jobs-dlq.fifo put back into vision-analysis-jobs.fifo',
    '       2  since 2026-01-01T00:00:00.000Z  the key "..." is not ours  (such as k3)',
    '       1  since 2026-01-03T00:00:00.000Z  not JSON  (such as k1)',
    '1 held back: put back 3 times already, --force does it once more',
    '       1  since 2026-01-04T00:00:00.000Z  not JSON  (such as k4)',
  ])
})

test('the count goes up by one, keeps what stands beside it, and is 0 where it cannot be read', () => {
  assert.deepEqual(countRedrive({ a: 'b' }), { a: 'b', [redriveCountName]: '1' })
  assert.deepEqual(countRedrive({ [redriveCountName]: '2' }), { [redriveCountName]: '3' })
  for (const text of ['', '-1', 'x', '1e9', '99999999999'])
    assert.equal(readRedriveCount({ [redriveCountName]: text }), 0)
})

const base = 'https://sqs.eu-central-1.amazonaws.com/123456789012'

test('a dead-letter queue is looked for beside its queue; the quarantine has a variable of its own', () => {
  const environment = {
    UPLOADS_QUEUE_URL: `${base}/image-uploads`,
    QUARANTINE_QUEUE_URL: 'https://elsewhere.example.com/q',
    JOBS_QUEUE_URL: `${base}/vision-analysis-jobs.fifo`,
  }
  assert.deepEqual(findQueueUrls(pathOf('uploads'), environment), {
    from: `${base}/image-uploads-dlq`,
    to: `${base}/image-uploads`,
  })
  assert.deepEqual(findQueueUrls(pathOf('quarantine'), environment), {
    from: 'https://elsewhere.example.com/q',
    to: `${base}/image-uploads`,
  })
  assert.deepEqual(findQueueUrls(pathOf('jobs'), environment), {
    from: `${base}/vision-analysis-jobs-dlq.fifo`,
    to: `${base}/vision-analysis-jobs.fifo`,
  })
})

test('a path asks for the variables of its own queues and no others', () => {
  assert.throws(
    () => findQueueUrls(pathOf('quarantine'), { JOBS_QUEUE_URL: `${base}/vision-analysis-jobs.fifo` }),
    (error) =>
      error instanceof ConfigError &&
      /^QUARANTINE_QUEUE_URL is not set[^]*^UPLOADS_QUEUE_URL is not set/m.test(error.message),
  )
  assert.doesNotThrow(() => findQueueUrls(pathOf('uploads'), { UPLOADS_QUEUE_URL: `${base}/image-uploads` }))
})
