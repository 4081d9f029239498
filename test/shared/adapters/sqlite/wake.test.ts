import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'

import { alarm } from '#shared/adapters/alarm.ts'
import { openBell } from '#shared/adapters/sqlite/wake.ts'

import { eventually } from '../../../support/eventually.ts'

suite('waking up', () => {
  test('a ring while nobody waits is not lost', async () => {
    const { ring, wait } = alarm()
    ring()
    await wait(60_000)
    const second = wait(60_000)
    ring()
    await second
  })

  test('a bell rings at once here, and for what another process does', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'event-log-'))
    const path = join(directory, 'events.db')
    const [bell, another] = [openBell(path), openBell(path)]
    let rings = 0
    const hangUp = bell.listen(() => rings++)
    another.ring()
    assert.equal(rings, 1)
    await eventually(() => rings >= 2, "the watch telling of the other handle's ring")
    const before = rings
    await writeFile(`${path}-bell`, '!')
    await eventually(() => rings > before, 'the watch telling of a write from elsewhere')
    hangUp()
    bell.close()
    another.close()
    await rm(directory, { recursive: true })
  })
})
