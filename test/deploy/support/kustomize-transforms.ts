import type { Kustomization } from './kustomize.ts'
import { manifestSchema, type Manifest } from './manifests.ts'

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

/** Lists that a strategic merge merges by name; all others that we patch it replaces. */
const mergedByName = ['containers', 'env']

/** @throws when there is nothing to patch, as Kustomize does */
export const applyPatch = (manifests: readonly Manifest[], patch: Manifest, where: string): Manifest[] => {
  const isTarget = ({ kind, metadata }: Manifest) => kind === patch.kind && metadata.name === patch.metadata.name
  if (!manifests.some(isTarget)) throw new Error(`${where} patches ${patch.kind} ${patch.metadata.name}: there is none`)
  return manifests.map((manifest) =>
    isTarget(manifest) ? manifestSchema.parse(mergeFields(manifest, patch)) : manifest,
  )
}

const mergeFields = (base: Fields, patch: Fields): Fields => {
  const merged = Object.entries(patch).map(([name, value]) => [name, mergeValue(name, base[name], value)])
  return { ...base, ...(Object.fromEntries(merged) as Fields) }
}

const mergeValue = (name: string, base: unknown, patch: unknown): unknown => {
  if (isFields(base) && isFields(patch)) return mergeFields(base, patch)
  if (mergedByName.includes(name) && isList(base) && isList(patch)) return mergeNamed(base, patch)
  return patch
}

const mergeNamed = (base: readonly unknown[], patch: readonly unknown[]): unknown[] => {
  const nameOf = (item: unknown) => (isFields(item) ? item['name'] : undefined)
  const changed = base.map((item) => {
    const other = patch.find((each) => nameOf(each) === nameOf(item))
    return isFields(item) && isFields(other) ? mergeFields(item, other) : item
  })
  const added = patch.filter((item) => base.every((each) => nameOf(each) !== nameOf(item)))
  return [...changed, ...added]
}

/** Of the kinds that lie in no namespace we have only namespaces themselves. */
export const setNamespace = (manifest: Manifest, namespace: string): Manifest => {
  const { metadata } = manifest
  const placed = manifest.kind === 'Namespace' ? { ...metadata, name: namespace } : { ...metadata, namespace }
  return { ...manifest, metadata: placed }
}

/** In every list of containers, wherever it stands. */
export const replaceImages = (manifest: Manifest, images: Kustomization['images']): Manifest =>
  manifestSchema.parse(mapContainers(manifest, images))

const mapContainers = (value: unknown, images: Kustomization['images']): unknown => {
  if (isList(value)) return value.map((item) => mapContainers(item, images))
  if (!isFields(value)) return value
  const mapped = Object.entries(value).map(([name, inner]) => [
    name,
    name === 'containers' && isList(inner)
      ? inner.map((container) => renameImage(container, images))
      : mapContainers(inner, images),
  ])
  return Object.fromEntries(mapped)
}

const renameImage = (container: unknown, images: Kustomization['images']): unknown => {
  if (!isFields(container)) return container
  const image = images.find(({ name }) => container['image'] === name)
  return image ? { ...container, image: `${image.newName ?? image.name}:${image.newTag}` } : container
}

export const replaceValues = (
  manifests: readonly Manifest[],
  replacements: Kustomization['replacements'],
): Manifest[] => {
  const isSelected = (manifest: Manifest, select: { kind: string; name?: string | undefined }) =>
    manifest.kind === select.kind && (select.name === undefined || manifest.metadata.name === select.name)
  const steps = replacements.flatMap(({ source, targets }) =>
    targets.flatMap(({ select, fieldPaths }) => fieldPaths.map((path) => ({ source, select, path }))),
  )
  return steps.reduce<Manifest[]>(
    (so, { source, select, path }) => {
      const value = readPath(
        so.find((manifest) => isSelected(manifest, source)),
        source.fieldPath.split('.'),
      )
      if (value === undefined) throw new Error(`there is no ${source.fieldPath} in ${source.kind} ${source.name}`)
      return so.map((manifest) =>
        isSelected(manifest, select) ? manifestSchema.parse(writePath(manifest, path.split('.'), value)) : manifest,
      )
    },
    [...manifests],
  )
}

const readPath = (value: unknown, [name, ...rest]: readonly string[]): unknown => {
  if (name === undefined) return value
  return isFields(value) ? readPath(value[name], rest) : undefined
}

/** A step is a name, an index or `*`, all items. @throws where there is no such field: nothing is made. */
const writePath = (value: unknown, [step, ...rest]: readonly string[], written: unknown): unknown => {
  if (step === undefined) return written
  if (isList(value))
    return value.map((item, index) => (step === '*' || step === String(index) ? writePath(item, rest, written) : item))
  if (!isFields(value) || !(step in value)) throw new Error(`there is no field ${step} to replace`)
  return { ...value, [step]: writePath(value[step], rest, written) }
}
