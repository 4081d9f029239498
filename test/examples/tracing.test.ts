import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { z } from 'zod'

const api = '@opentelemetry/api'
const packageSchema = z.object({
  version: z.string(),
  dependencies: z.record(z.string(), z.string()).default({}),
  peerDependencies: z.record(z.string(), z.string()).default({}),
})
const readPackage = (path: string) => packageSchema.parse(JSON.parse(readFileSync(path, 'utf8')))

type Version = readonly [major: number, minor: number, patch: number]
const versionOf = (text: string): Version => {
  const [, major, minor, patch] = /^(\d+)\.(\d+)\.(\d+)$/.exec(text) ?? assert.fail(text)
  return [Number(major), Number(minor), Number(patch)]
}
const isBefore = (one: Version, other: Version) => {
  const at = one.findIndex((part, index) => part !== other[index])
  return at >= 0 && (one[at] ?? 0) < (other[at] ?? 0)
}

/** From the first version of a range to the first one behind it. Source: node-semver, "Ranges". */
const rangeOf = (text: string): { from: Version; to: Version } => {
  const between = /^>=(\S+) <(\S+)$/.exec(text)
  if (between) return { from: versionOf(between[1] ?? ''), to: versionOf(between[2] ?? '') }
  const from = versionOf(text.slice(1))
  assert.match(text, /^[~^]/)
  return { from, to: text.startsWith('~') ? [from[0], from[1] + 1, 0] : [from[0] + 1, 0, 0] }
}

test('whatever version of the OpenTelemetry API our range lets in, the SDK of the example accepts it', () => {
  const own = rangeOf(readPackage('package.json').dependencies[api] ?? '')
  const sdk = rangeOf(readPackage('node_modules/@opentelemetry/sdk-node/package.json').peerDependencies[api] ?? '')
  assert.ok(!isBefore(own.from, sdk.from) && !isBefore(sdk.to, own.to), JSON.stringify({ own, sdk }))
})

test('nothing of OpenTelemetry but its API comes with the services', () => {
  const { dependencies } = readPackage('package.json')
  assert.deepEqual(
    Object.keys(dependencies).filter((name) => name.startsWith('@opentelemetry/')),
    [api],
  )
})
