import assert from 'node:assert/strict'
import test from 'node:test'

import { corsVariables } from '#shared/adapters/variables.ts'
import { readConfig } from '#shared/runtime/config.ts'

const read = (CORS_ORIGINS: string) => readConfig(corsVariables, { CORS_ORIGINS }).CORS_ORIGINS

test('origins are schemes, hosts and ports', () => {
  assert.deepEqual(read('https://app.example.com, http://127.0.0.1:5173'), [
    'https://app.example.com',
    'http://127.0.0.1:5173',
  ])
})

// S3 would obey a star, which the API compares as it stands: pages could upload that may ask for no ticket.
for (const wrong of ['*', 'https://*.example.com', 'https://app.example.com/', 'app.example.com', 'null']) {
  test(`${wrong} is no origin`, () => {
    assert.throws(() => read(`https://app.example.com,${wrong}`), /CORS_ORIGINS.* is not an origin/)
  })
}
