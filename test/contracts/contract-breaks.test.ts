import assert from 'node:assert/strict'
import test from 'node:test'

import { findBreaks, findContractBreaks } from '../../tools/support/contract-breaks.ts'
import type { JsonSchema } from '../../tools/support/contracts.ts'

const released = {
  type: 'object',
  description: 'A thing.',
  properties: {
    id: { type: 'string', pattern: '^[0-9]+$' },
    size: { type: 'integer', minimum: 0, maximum: 10 },
    note: { type: 'string' },
    data: { type: 'object', properties: { color: { type: 'string', enum: ['red', 'green'] } }, required: ['color'] },
  },
  required: ['id', 'size', 'data'],
}
const { properties } = released
const withFields = (fields: Record<string, JsonSchema>) => ({ ...released, properties: { ...properties, ...fields } })
const withColors = (color: JsonSchema) => withFields({ data: { ...properties.data, properties: { color } } })
const without = (name: string): JsonSchema => ({
  ...released,
  properties: Object.fromEntries(Object.entries(properties).filter(([field]) => field !== name)),
})

const additive: [string, JsonSchema][] = [
  ['nothing', released],
  ['a new optional field', withFields({ extra: { type: 'string' } })],
  ['one more value in a list', withColors({ type: 'string', enum: ['red', 'green', 'blue'] })],
  ['other words', { ...withFields({ note: { type: 'string', description: 'For people.' } }), description: 'A thing!' }],
  ['another order of required fields', { ...released, required: ['data', 'id', 'size'] }],
]

for (const [what, after] of additive) {
  test(`${what} is additive`, () => {
    assert.deepEqual(findBreaks(released, after, 'thing'), [])
  })
}

const breaking: [string, JsonSchema, string][] = [
  ['a removed optional field', without('note'), 'thing.note: the field is gone'],
  ['a removed required field', { ...without('id'), required: ['size', 'data'] }, 'thing.id: the field is gone'],
  [
    'a field that may be absent now',
    { ...released, required: ['id', 'data'] },
    'thing.size: the field may be absent now',
  ],
  [
    'a field that is required now',
    { ...released, required: [...released.required, 'note'] },
    'thing.note: the field is required now',
  ],
  [
    'a new required field',
    { ...withFields({ extra: { type: 'string' } }), required: [...released.required, 'extra'] },
    'thing.extra: the field is required now',
  ],
  ['another type', withFields({ note: { type: 'integer' } }), 'thing.note: type was "string", is "integer"'],
  [
    'a type that may be null too',
    withFields({ note: { type: ['string', 'null'] } }),
    'thing.note: type was "string", is ["string","null"]',
  ],
  ['a lost value', withColors({ type: 'string', enum: ['red'] }), 'thing.data.color: the value green is gone'],
  ['a list that ends', withColors({ type: 'string' }), 'thing.data.color: the list of values has come or gone'],
  [
    'a list that begins',
    withFields({ note: { type: 'string', enum: ['a'] } }),
    'thing.note: the list of values has come or gone',
  ],
  [
    'a tightened limit',
    withFields({ size: { type: 'integer', minimum: 1, maximum: 10 } }),
    'thing.size: minimum was 0, is 1',
  ],
  [
    'a loosened limit',
    withFields({ size: { type: 'integer', minimum: 0 } }),
    'thing.size: maximum was 10, is undefined',
  ],
  [
    'an object that is closed',
    { ...released, additionalProperties: false },
    'thing: additionalProperties was undefined, is false',
  ],
]

for (const [what, after, sentence] of breaking) {
  test(`${what} is a break`, () => {
    assert.deepEqual(findBreaks(released, after, 'thing'), [sentence])
  })
}

test('a contract that is gone is a break, a new one is none', () => {
  const before = new Map([['thing', released]])
  assert.deepEqual(findContractBreaks(before, new Map([['other', released]])), ['thing: the contract is gone'])
  assert.deepEqual(findContractBreaks(before, new Map([...before, ['other', released]])), [])
})
