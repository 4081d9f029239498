import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'

import { z } from 'zod'

import { synthesise } from './support/template.ts'

const infra = join(import.meta.dirname, '..')

/** Node lets the process reach files alone: no network, no other program, and so no CLI. */
const offline = ['--permission', '--allow-fs-read=*', '--allow-fs-write=*']
const synth = (...more: string[]) =>
  spawnSync(process.execPath, [...offline, join(infra, 'main.ts'), ...more], { encoding: 'utf8', cwd: tmpdir() })

test('the command writes the template without network, CLI or other programs', () => {
  const { status, stdout, stderr } = synth()
  assert.equal(status, 0, stderr)
  const path = stdout.trim()
  assert.equal(path, join(infra, 'cdk.out', 'image-intake.template.json'))
  const text = readFileSync(path, 'utf8')
  assert.ok(Buffer.byteLength(text) < 51_200)
  const { Resources } = z.object({ Resources: z.record(z.string(), z.unknown()) }).parse(JSON.parse(text))
  assert.deepEqual(Object.keys(Resources), Object.keys(synthesise().template.Resources))
})

test('the command takes a file of settings, and tells what is wrong with it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'infra-'))
  const path = join(directory, 'settings.json')
  try {
    writeFileSync(path, JSON.stringify({ name: 'photos', ticketSeconds: 1 }))
    const { status, stderr, stdout } = synth(path)
    assert.deepEqual([status, stdout], [1, ''])
    assert.match(stderr, /^ticketSeconds: /)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('the command refuses what it does not know', () => {
  const { status, stderr } = synth('--help')
  assert.equal(status, 1)
  assert.match(stderr, /npm run synth/)
})
