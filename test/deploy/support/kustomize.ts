import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'

import { applyPatch, replaceImages, replaceValues, setNamespace } from './kustomize-transforms.ts'
import { manifestSchema, type Manifest } from './manifests.ts'

/** Of Kustomize what our files use; strict, so that a file that asks for more fails here and is not half built. */
const kustomizationSchema = z.strictObject({
  apiVersion: z.enum(['kustomize.config.k8s.io/v1beta1', 'kustomize.config.k8s.io/v1alpha1']),
  kind: z.enum(['Kustomization', 'Component']),
  namespace: z.string().optional(),
  resources: z.array(z.string()).default([]),
  components: z.array(z.string()).default([]),
  configMapGenerator: z.array(z.strictObject({ name: z.string(), envs: z.array(z.string()) })).default([]),
  images: z.array(z.strictObject({ name: z.string(), newName: z.string().optional(), newTag: z.string() })).default([]),
  patches: z.array(z.strictObject({ path: z.string() })).default([]),
  replacements: z
    .array(
      z.strictObject({
        source: z.strictObject({ kind: z.string(), name: z.string(), fieldPath: z.string() }),
        targets: z.array(
          z.strictObject({
            select: z.strictObject({ kind: z.string(), name: z.string().optional() }),
            fieldPaths: z.array(z.string()),
          }),
        ),
      }),
    )
    .default([]),
})
export type Kustomization = z.infer<typeof kustomizationSchema>

/**
 * Builds a folder as `kubectl kustomize` does, but for the hash at the end of a generated name, which follows from the
 * content. Where kubectl is at hand, a test compares the two.
 */
export const build = (folder: string): Manifest[] => buildOnto([], folder)

const buildOnto = (under: readonly Manifest[], folder: string): Manifest[] => {
  const kustomization = kustomizationSchema.parse(parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')))
  const resources = kustomization.resources.flatMap((path) => readResource(join(folder, path)))
  const whole = kustomization.components.reduce<Manifest[]>(
    (manifests, path) => buildOnto(manifests, join(folder, path)),
    [...under, ...resources],
  )
  const generated = kustomization.configMapGenerator.map((generator) => generate(folder, generator))
  return transform([...whole, ...generated], kustomization, folder)
}

const readResource = (path: string): Manifest[] =>
  statSync(path).isDirectory() ? build(path) : readDocuments(path).map((document) => manifestSchema.parse(document))

/** @throws on YAML that is not right, or that says a key twice */
export const readDocuments = (path: string): unknown[] =>
  parseAllDocuments(readFileSync(path, 'utf8')).map((document) => {
    const [problem] = [...document.errors, ...document.warnings]
    if (problem) throw new Error(`${path}: ${problem.message}`)
    return document.toJS() as unknown
  })

const generate = (folder: string, { name, envs }: Kustomization['configMapGenerator'][number]): Manifest => {
  const lines = envs.flatMap((path) => readFileSync(join(folder, path), 'utf8').split('\n'))
  const entries = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
  return manifestSchema.parse({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: Object.fromEntries(entries) as unknown,
  })
}

const transform = (manifests: readonly Manifest[], kustomization: Kustomization, folder: string): Manifest[] => {
  const patches = kustomization.patches.flatMap(({ path }) => readDocuments(join(folder, path)))
  const patched = patches.reduce<Manifest[]>(
    (so, patch) => applyPatch(so, manifestSchema.parse(patch), folder),
    [...manifests],
  )
  const { namespace, images, replacements } = kustomization
  const placed = namespace === undefined ? patched : patched.map((manifest) => setNamespace(manifest, namespace))
  return replaceValues(
    placed.map((manifest) => replaceImages(manifest, images)),
    replacements,
  )
}
