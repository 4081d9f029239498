import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { given } from '#shared/domain/given.ts'
import { noteRemoval, verdictRecordSchema, type VerdictRecord } from '#shared/domain/verdict.ts'
import { OutageError, RefusalError } from '#shared/ports/failures.ts'
import { storeVerdict } from '../../../services/upload-watcher/verdicts.ts'
import { keyOf } from './notifications.ts'
import { connect, openWorld, type World } from './world.ts'

const { signal } = new AbortController()

const key = keyOf('chat', 1)

/** A state of the object, and the verdict on it. */
type State = { bytes: string; second: number; versionId?: string }
const timeOf = ({ second }: State) => new Date(Date.UTC(2025, 0, 1, 12, 0, second))
const upload = (world: World, { bytes, ...state }: State) =>
  world.images.upload({
    key,
    bytes: Buffer.from(bytes),
    lastModified: timeOf({ bytes, ...state }),
    ...given({ versionId: state.versionId }),
  })
const verdictOn = (state: State): VerdictRecord => ({
  verdict: 'accepted',
  event_id: `${state.bytes} ${state.versionId}`,
  etag: upload(openWorld(), state).etag,
  ...given({ version_id: state.versionId }),
  size: state.bytes.length,
  content_type: 'image/png',
  uploaded_at: timeOf(state).toISOString(),
})

const store = (world: World, state: State, around?: Parameters<typeof connect>[1]) =>
  storeVerdict(connect(world, around), key, verdictOn(state), signal)
const stored = (world: World) => verdictRecordSchema.parse(JSON.parse(world.states.text(`verdicts/${key}`))).event_id
const eventOf = (state: State) => verdictOn(state).event_id

const older: State = { bytes: 'older', second: 1 }
const newer: State = { bytes: 'newer', second: 2 }
const [first, second]: [State, State] = [
  { bytes: 'one', second: 1, versionId: 'v1' },
  { bytes: 'two', second: 1, versionId: 'v2' },
]

suite('of two verdicts on one key', () => {
  const cases: [what: string, stored: State, late: State, there: State | undefined, kept: State][] = [
    ['that on what is there stays, when one on an older state comes late', newer, older, newer, newer],
    ['that on what is there stays, when both states are of one second', second, first, second, second],
    ['the later one takes the place, when it is on what is there', older, newer, newer, newer],
    [
      'the later one takes the place, when it is on what is there and of the same second',
      first,
      second,
      second,
      second,
    ],
    ['the later one takes the place, when the newer state has gone again', newer, older, older, older],
    ['the older one stays, when it is on what is there and the newer state has gone again', older, newer, older, older],
    ['the newer stays, when nothing is there', newer, older, undefined, newer],
    ['the newer takes the place, when nothing is there', older, newer, undefined, newer],
    ['the first stays, when nothing is there and both are of one second', second, first, undefined, second],
    ['the newer takes the place, when something else is there', older, newer, { bytes: 'third', second: 3 }, newer],
  ]
  for (const [what, before, late, there, kept] of cases) {
    test(what, async () => {
      const world = openWorld()
      await store(world, before)
      if (there) upload(world, there)
      await store(world, late)
      assert.equal(stored(world), eventOf(kept))
    })
  }
})

suite('a verdict', () => {
  test('that is stored again takes the mark off that its object is gone: it was just looked at', async () => {
    const world = openWorld()
    const verdict = { ...verdictOn(first), deleted: { event_id: 'told' } }
    world.states.upload({ key: `verdicts/${key}`, bytes: Buffer.from(JSON.stringify(verdict)) })
    await store(world, first)
    assert.deepEqual(JSON.parse(world.states.text(`verdicts/${key}`)), verdictOn(first))
  })

  test('on what is there again keeps nothing of a removal that was told before: the next one is told too', async () => {
    const world = openWorld()
    const note = noteRemoval({ event_id: 'told', at: timeOf({ ...first, second: 9 }).toISOString() })
    world.states.upload({ key: `verdicts/${key}`, bytes: Buffer.from(JSON.stringify(note)) })
    upload(world, first)
    await store(world, first)
    assert.deepEqual(JSON.parse(world.states.text(`verdicts/${key}`)), verdictOn(first))
  })

  test('takes the place of one that can not be read', async () => {
    const world = openWorld()
    world.states.upload({ key: `verdicts/${key}`, bytes: Buffer.from('{') })
    await store(world, first)
    assert.equal(stored(world), eventOf(first))
  })

  test('is stored by one call where none is there', async () => {
    const calls: string[] = []
    await store(openWorld(), first, (call, proceed) => {
      calls.push(call)
      return proceed()
    })
    assert.deepEqual(calls, ['states.create'])
  })

  test('that is stored again does not ask for its object', async () => {
    const world = openWorld()
    await store(world, first)
    const calls: string[] = []
    await store(world, first, (call, proceed) => {
      calls.push(call)
      return proceed()
    })
    assert.deepEqual(calls, ['states.create', 'states.readStart', 'states.replace'])
  })

  test('is stored in a store that knows no conditional writes, and tells no etag', async () => {
    const world = openWorld()
    const withoutEtag = (found: unknown) => {
      const { object, bytes } = found as { object: object; bytes: Uint8Array } // as the fake gives it
      return { object: { ...object, etag: '' }, bytes }
    }
    for (const state of [older, newer]) {
      await store(world, state, async (call, proceed) => {
        if (call === 'states.create' || call === 'states.replace') throw new RefusalError('HTTP 501')
        const answer = await proceed()
        return call === 'states.readStart' && answer !== undefined ? withoutEtag(answer) : answer
      })
      assert.equal(stored(world), eventOf(state))
    }
  })

  test('waits while the store is away, and is not put in another way', async () => {
    const world = openWorld()
    world.states.faults.fail('create', new OutageError('S3', 'a test'))
    await assert.rejects(store(world, first), OutageError)
    assert.equal(world.states.objects.size, 0)
  })

  test('that meets others each time it is written is given up at the fifth', async () => {
    const world = openWorld()
    await store(world, older)
    upload(world, newer)
    let met = 0
    const meet = store(world, newer, (call, proceed) => {
      if (call !== 'states.replace') return proceed()
      met++
      return Promise.resolve('changed')
    })
    await assert.rejects(meet, /keeps changing/)
    assert.equal(met, 5)
  })

  test('that another wrote meanwhile is weighed again', async () => {
    const world = openWorld()
    await store(world, older)
    const third: State = { bytes: 'third', second: 3 }
    upload(world, newer)
    await store(world, newer, async (call, proceed) => {
      if (call === 'states.replace') {
        upload(world, third)
        const bytes = Buffer.from(JSON.stringify(verdictOn(third)))
        world.states.upload({ key: `verdicts/${key}`, bytes })
      }
      return proceed()
    })
    assert.equal(stored(world), eventOf(third))
  })
})
