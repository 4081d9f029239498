import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { isDeepStrictEqual } from 'node:util'

import { parseAllDocuments } from 'yaml'

import { allOf, installations, root } from './support/installations.ts'
import { build, readDocuments } from './support/kustomize.ts'
import { manifestSchema, type Manifest } from './support/manifests.ts'
import { findProblems } from './support/schemas.ts'

test('every YAML file under deploy/kubernetes is read without an error or a warning, and is part of an overlay', () => {
  const files = globSync(`${root}/**/*.yaml`)
  assert.ok(files.length > 25, `only ${files.length} files were found`)
  for (const file of files) assert.ok(readDocuments(file).length > 0, `${file} is empty`)
  const kustomizations = files
    .filter((file) => file.endsWith('kustomization.yaml'))
    .map((file) => readFileSync(file, 'utf8'))
  const unused = files
    .filter((file) => !file.endsWith('kustomization.yaml'))
    .filter((file) => !kustomizations.some((text) => text.includes(file.split('/').at(-1) ?? file)))
  assert.deepEqual(unused, [])
})

for (const installation of installations) {
  test(`every manifest of ${installation.name} is what the schemas of Kubernetes and KEDA want, and has no field that they don't know`, async () => {
    const problems = await Promise.all(allOf(installation).map(findProblems))
    assert.deepEqual(problems.flat(), [])
  })

  test(`no two manifests of ${installation.name} are about the same thing and differ`, () => {
    const clashes = installation.setup.filter((one) =>
      installation.services.some((other) => isSame(one, other) && !isDeepStrictEqual(one, other)),
    )
    assert.deepEqual(clashes.map(nameOf), [])
    for (const manifests of [installation.setup, installation.services])
      assert.equal(new Set(manifests.map(nameOf)).size, manifests.length)
  })

  for (const folder of [installation.name, `${installation.name}/setup`]) {
    const kubectl = spawnSync('kubectl', ['kustomize', join(root, 'overlays', folder)], { encoding: 'utf8' })
    const skip = kubectl.error ? 'kubectl is not here: only our own build of the overlay was checked' : false
    test(`kubectl builds ${folder} as these tests do`, { skip }, () => {
      assert.equal(kubectl.status, 0, kubectl.stderr)
      const theirs = parseAllDocuments(withoutHashes(kubectl.stdout)).map((one) => manifestSchema.parse(one.toJS()))
      assert.deepEqual(sorted(theirs), sorted(build(join(root, 'overlays', folder))))
    })
  }
}

const nameOf = ({ kind, metadata }: Manifest) => `${kind} ${metadata.name}`
const isSame = (one: Manifest, other: Manifest) => nameOf(one) === nameOf(other)

/** The names of generated ConfigMaps end in a hash of ten letters and digits. */
const withoutHashes = (text: string) => text.replaceAll(/\b(name: image-intake)-[a-z0-9]{10}$/gm, '$1')

/** A merge may put the variables of a container in another order, which means the same. */
const sorted = (manifests: readonly Manifest[]) =>
  manifests
    .map((manifest) => sortEnvironments(manifest))
    .toSorted((a, b) => (JSON.stringify(a.metadata) + a.kind < JSON.stringify(b.metadata) + b.kind ? -1 : 1))

const sortEnvironments = (manifest: Manifest): Manifest =>
  manifestSchema.parse(
    JSON.parse(JSON.stringify(manifest), (name, value: unknown) =>
      name === 'env' && Array.isArray(value)
        ? value.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
        : value,
    ),
  )

const broken: [string, RegExp, (text: string) => string][] = [
  ['a misspelt field', /livenesProbe is known to no schema/, (text) => text.replace('livenessProbe', 'livenesProbe')],
  [
    'a number that is a text',
    /terminationGracePeriodSeconds breaks type/,
    (text) => text.replace(/(GracePeriodSeconds": )(\d+)/, '$1"$2"'),
  ],
  ['a required field that is not there', /\/spec breaks required/, (text) => text.replace('"selector"', '"selectors"')],
]

for (const [what, sentence, change] of broken) {
  test(`the check of manifests finds ${what}`, async () => {
    const [api] = installations.flatMap(({ services }) => services.filter((one) => nameOf(one) === 'Deployment api'))
    const text = change(JSON.stringify(api, undefined, 1))
    assert.notEqual(text, JSON.stringify(api, undefined, 1))
    assert.match((await findProblems(manifestSchema.parse(JSON.parse(text)))).join('\n'), sentence)
  })
}
