import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import test from 'node:test'

/** Who may import whom: folders of ours by path, packages by name. The first folder that a file lies in decides. */
type Rule = { folder: string; mayImport: readonly string[]; packages?: RegExp }

const anyPackage = /./
const noSdk = /^(?!@aws-sdk|@smithy|kafkajs|undici)/
const rules: readonly Rule[] = [
  { folder: 'shared/domain/', mayImport: ['shared/domain/'], packages: /^(zod|node:crypto)$/ },
  { folder: 'shared/ports/', mayImport: ['shared/domain/', 'shared/ports/'], packages: /^$/ },
  { folder: 'shared/runtime/', mayImport: ['shared/runtime/'], packages: noSdk },
  { folder: 'shared/adapters/', mayImport: ['shared/'], packages: anyPackage },
  ...['api', 'upload-watcher', 'scan-dispatcher'].flatMap((name): Rule[] => {
    const service = ['shared/domain/', 'shared/ports/', 'shared/runtime/', `services/${name}/`]
    return [
      { folder: `services/${name}/main.ts`, mayImport: [...service, 'shared/adapters/'], packages: noSdk },
      { folder: `services/${name}/`, mayImport: service, packages: noSdk },
    ]
  }),
  { folder: 'local/aws/', mayImport: ['local/aws/'], packages: noSdk },
  { folder: 'local/cdn/', mayImport: ['local/cdn/'], packages: noSdk },
  { folder: 'local/', mayImport: ['local/', 'services/', 'shared/'], packages: noSdk },
  { folder: 'tools/', mayImport: ['tools/', 'shared/'], packages: noSdk },
  {
    folder: 'infra/invalidator/',
    mayImport: ['infra/invalidator/', 'shared/'],
    packages: /^(zod|@aws-sdk\/client-s3)$/,
  },
  { folder: 'infra/test/', mayImport: ['infra/', 'shared/domain/'], packages: anyPackage },
  { folder: 'infra/', mayImport: ['infra/', 'shared/domain/'], packages: /^(aws-cdk-lib|constructs|zod)/ },
  { folder: 'examples/', mayImport: ['examples/'], packages: anyPackage },
]

/** Every module that a file names in an import or export, also dynamically. */
const importsOf = (source: string) =>
  [
    ...source.matchAll(
      /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g,
    ),
  ].map(([, from, bare]) => from ?? bare ?? '')

/** A specifier as a path of ours, or undefined for a package. */
const resolve = (file: string, specifier: string) => {
  if (specifier.startsWith('#')) return specifier.slice(1)
  return specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : undefined
}

/** What breaks the rule in one file, one sentence each. */
const findBreaches = (file: string, source: string): string[] => {
  const rule = rules.find(({ folder }) => file.startsWith(folder))
  if (!rule) return []
  return importsOf(source).flatMap((specifier) => {
    const path = resolve(file, specifier)
    const allowed =
      path === undefined
        ? specifier.startsWith('node:') && rule.folder !== 'shared/domain/' && rule.folder !== 'shared/ports/'
          ? true
          : (rule.packages ?? anyPackage).test(specifier)
        : rule.mayImport.some((folder) => path.startsWith(folder))
    return allowed ? [] : [`${file} may not import ${specifier}`]
  })
}

const sources = globSync('{shared,services,local,tools,infra,examples}/**/*.ts', {
  exclude: ['infra/node_modules', 'infra/cdk.out'],
})

test('every import of the source keeps the import rule', () => {
  assert.ok(sources.length > 50, `only ${sources.length} files were found`)
  assert.deepEqual(
    sources.flatMap((file) => findBreaches(file, readFileSync(file, 'utf8'))),
    [],
  )
})

test('inside a folder imports are relative, across folders they go by #shared', () => {
  const relativeAcross = sources.flatMap((file) =>
    importsOf(readFileSync(file, 'utf8'))
      .filter((specifier) => specifier.startsWith('.'))
      .filter((specifier) => topFolder(resolve(file, specifier) ?? '') !== topFolder(file))
      .filter((specifier) => !(file.startsWith('local/') && specifier.startsWith('../services/')))
      // A package of its own, in which #shared has no meaning.
      .filter((specifier) => !(file.startsWith('infra/') && specifier.includes('/shared/')))
      .map((specifier) => `${file} imports ${specifier}`),
  )
  assert.deepEqual(relativeAcross, [])
})

const topFolder = (path: string) => {
  const [first = '', second = ''] = path.split('/')
  return ['shared', 'services'].includes(first) ? `${first}/${second}` : first
}

const breaches: [string, string, string][] = [
  ['a service that imports another', 'services/api/app.ts', "import { x } from '../scan-dispatcher/dispatch.ts'"],
  [
    'a service file other than main that opens an adapter',
    'services/api/app.ts',
    "import { x } from '#shared/adapters/variables.ts'",
  ],
  ['a domain file that reads a file', 'shared/domain/keys.ts', "import { readFileSync } from 'node:fs'"],
  ['an SDK outside the adapters', 'tools/upload.ts', "import { S3Client } from '@aws-sdk/client-s3'"],
  [
    'a local S3 that knows the domain',
    'local/aws/server.ts',
    "import type { Purpose } from '#shared/domain/purposes.ts'",
  ],
  ['a runtime that knows a port', 'shared/runtime/run.ts', "export { OutageError } from '#shared/ports/failures.ts'"],
  ['a template that opens an adapter', 'infra/stack.ts', "import { x } from '../shared/adapters/provision.ts'"],
  ['a template that knows a service', 'infra/outputs.ts', "import { x } from '../services/api/config.ts'"],
  ['a dynamic import', 'shared/ports/event-log.ts', "const later = await import('kafkajs')"],
]

for (const [what, file, source] of breaches) {
  test(`the import rule refuses ${what}`, () => {
    assert.equal(findBreaches(file, source).length, 1)
  })
}
