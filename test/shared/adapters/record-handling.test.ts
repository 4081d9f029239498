import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { deadLetterHeaders, handleRecord } from '#shared/adapters/record-handling.ts'
import type { RecordHandling } from '#shared/adapters/record-handling.ts'
import { done, reject } from '#shared/domain/outcomes.ts'
import type { LogRecord, NewRecord } from '#shared/ports/event-log.ts'
import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'

const record: LogRecord = {
  topic: 'things',
  partition: 2,
  offset: '17',
  key: 'a',
  value: 'body',
  headers: { traceparent: 'abc' },
  appendedAt: new Date(0),
}

/** Handles the record with no pauses; `append` fails as often as told before it stores. */
const handling = (options: Partial<RecordHandling> & { appendFailures?: Error[] }) => {
  const letters: NewRecord[] = []
  const failures = [...(options.appendFailures ?? [])]
  const append = (records: readonly NewRecord[]) => {
    const failure = failures.shift()
    if (failure) return Promise.reject(failure)
    letters.push(...records)
    return Promise.resolve()
  }
  const [signal, stop] = [new AbortController().signal, new AbortController().signal]
  const noDelay = { retryDelayMs: () => 0, outageDelayMs: () => 0 }
  const handle = () => Promise.resolve(done)
  return { letters, run: () => handleRecord(record, { handle, append, signal, stop, ...noDelay, ...options }) }
}

suite('handling a record', () => {
  test('a dead letter that can not be stored is tried again until it is', async () => {
    const appendFailures = [
      new OutageError('the event log', 'away'),
      new RefusalError('too large'),
      new TypeError('odd'),
    ]
    const { letters, run } = handling({ handle: () => Promise.resolve(reject('no')), appendFailures })
    assert.deepEqual(await run(), { kind: 'final' })
    assert.equal(letters.length, 1)
  })

  test('a dead letter that is refused whole is stored without its value, and says how many bytes it had', async () => {
    const appendFailures = [new RefusalError('too large')]
    const { letters, run } = handling({ handle: () => Promise.resolve(reject('no')), appendFailures })
    assert.deepEqual(await run(), { kind: 'final' })
    const [letter] = letters
    assert.equal(letter?.value, '')
    assert.equal(letter.headers?.[deadLetterHeaders.omitted], String(Buffer.byteLength(record.value)))
    assert.equal(letter.headers[deadLetterHeaders.offset], record.offset)
  })

  test('a dead-letter topic that is missing ends consuming', async () => {
    const missing = new SetupError('no such topic')
    const { run } = handling({ handle: () => Promise.resolve(reject('no')), appendFailures: [missing] })
    assert.deepEqual(await run(), { kind: 'broken', error: missing })
  })

  test('while its dead letter can not be stored a stop abandons the record', async () => {
    const stop = new AbortController()
    const append = () => {
      stop.abort()
      return Promise.reject(new OutageError('the event log', 'away'))
    }
    const { run } = handling({ handle: () => Promise.resolve(reject('no')), append, stop: stop.signal })
    assert.deepEqual(await run(), { kind: 'abandoned' })
  })

  test('an outcome that comes after the abort is no outcome', async () => {
    for (const late of [done, reject('no')]) {
      const taken = new AbortController()
      const handle = () => {
        taken.abort()
        return Promise.resolve(late)
      }
      const { letters, run } = handling({ handle, signal: taken.signal })
      assert.deepEqual(await run(), { kind: 'abandoned' })
      assert.deepEqual(letters, [])
    }
  })

  test('outages between failures do not count', async () => {
    const attempts: number[] = []
    const handle: RecordHandling['handle'] = (_, { attempt }) => {
      attempts.push(attempt)
      return Promise.reject(attempts.length % 2 === 0 ? new OutageError('S3', 'away') : new Error('odd'))
    }
    const { letters, run } = handling({ handle })
    assert.deepEqual(await run(), { kind: 'final' })
    assert.deepEqual(attempts, [1, 2, 2, 3, 3, 4, 4, 5, 5])
    assert.equal(letters[0]?.headers?.['dead-letter-attempts'], '5')
  })

  test('a handler that returns nonsense, or throws before its promise, fails like any other', async () => {
    for (const value of [undefined, 'done', { kind: 'ok' }]) {
      // `as`: what a handler written in JavaScript may do.
      const handle = (() => Promise.resolve(value)) as unknown as RecordHandling['handle']
      const { letters, run } = handling({ handle })
      assert.deepEqual(await run(), { kind: 'final' })
      assert.match(letters[0]?.headers?.['dead-letter-reason'] ?? '', /the handler returned/)
    }
    const { letters, run } = handling({
      handle: () => {
        throw new SyntaxError('at once')
      },
    })
    assert.deepEqual(await run(), { kind: 'final' })
    assert.match(letters[0]?.headers?.['dead-letter-reason'] ?? '', /at once/)
  })
})
