import assert from 'node:assert/strict'
import test from 'node:test'

import { consumedTopics as planned } from '#shared/domain/resources.ts'

import { accessTable, type RoleName } from '../../infra/access.ts'
import { removalTopics } from '../../infra/invalidator/handle.ts'
import { consumedTopics } from '../../services/scan-dispatcher/dispatcher.ts'

/** The topics on which a role has this right on MSK. */
const topicsOf = (role: RoleName, call: string) =>
  accessTable.flatMap(({ role: whose, calls, on }) =>
    whose === role && calls.includes(`kafka-cluster:${call}`) && on.kind === 'topics' ? [...on.topics] : [],
  )

const consumers = { 'scan-dispatcher': consumedTopics, 'cdn-invalidator': removalTopics } as const

for (const [role, consumed] of Object.entries(consumers)) {
  // The keys of the literal above are names of roles.
  const name = role as keyof typeof consumers
  test(`on MSK ${name} may read what it consumes, and write the dead letters of just that`, () => {
    assert.deepEqual(topicsOf(name, 'ReadData').toSorted(), consumed.toSorted())
    const letters = topicsOf(name, 'WriteData').filter((topic) => topic.endsWith('.dead-letter'))
    assert.deepEqual(letters.toSorted(), consumed.map((topic) => `${topic}.dead-letter`).toSorted())
  })
}

test('the resources table has dead letters for what the dispatcher consumes', () => {
  assert.deepEqual([...planned], [...consumedTopics])
})
