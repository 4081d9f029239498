import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

import { composeVariables } from '../../tools/support/compose-system.ts'

const page = readFileSync('docker-compose.yml', 'utf8')
const choices = [...page.matchAll(/\$\{(INTAKE_\w+):-([^}]*)\}/g)].map(([, name = '', value = '']) => ({ name, value }))

test('tools on the host take for the system of docker compose what docker-compose.yml says', () => {
  for (const [name, { schema }] of Object.entries(composeVariables)) {
    const values = new Set(choices.filter((choice) => choice.name === name).map(({ value }) => value))
    assert.deepEqual([...values], [String(schema.parse(undefined))], name)
  }
})

test('docker-compose.yml takes every variable with one default, and no port of npm start', () => {
  for (const [name, uses] of Map.groupBy(choices, (choice) => choice.name))
    assert.equal(new Set(uses.map(({ value }) => value)).size, 1, name)
  const ports = choices.filter(({ name }) => name.endsWith('_PORT')).map(({ value }) => value)
  assert.ok(ports.length > 4 && !ports.includes('3000') && !ports.includes('4566'), ports.join(' '))
})

test('docker-compose.yml publishes on loopback alone and names every foreign image with its version', () => {
  const published = [...page.matchAll(/ports: \[([^\]]*)\]/g)].map(([, ports = '']) => ports)
  assert.equal(published.length, 4)
  for (const ports of published) assert.match(ports, /^'127\.0\.0\.1:\$\{INTAKE_\w+_PORT:-\d+\}:\d+'$/)
  const images = [...page.matchAll(/image: (\S+)/g)].map(([, image = '']) => image)
  const ours = /^\$\{COMPOSE_PROJECT_NAME:-image-intake\}(-store)?$/
  for (const image of images) assert.ok(ours.test(image) || /:\d+\.\d+\.\d+$/.test(image), image)
})
