/** Fewer than CloudFront takes at once (15), so that those of the call before may still be under way. */
export const maxWildcards = 10

/**
 * The paths that take at least these out of the caches, `maxPaths` (1 or more) at most: where they are too many, those of
 * the fullest folders become `FOLDER/*`, the deepest folders first. CloudFront counts each path, also one with a star.
 * Source: Amazon CloudFront Developer Guide, "Pay for file invalidation", "Quotas on invalidations".
 */
export const coalescePaths = (wanted: Iterable<string>, maxPaths: number): string[] => {
  let paths = [...new Set(wanted)]
  const deepest = Math.max(0, ...paths.map(depthOf))
  for (let depth = deepest - 1; depth >= 0 && !fits(paths, maxPaths); depth--) paths = fold(paths, depth, maxPaths)
  return paths
}

const fits = (paths: readonly string[], maxPaths: number) =>
  paths.length <= maxPaths && paths.filter(isWildcard).length <= maxWildcards

/** Folds folders of one depth, those with most paths first, until the rest fits. */
const fold = (paths: readonly string[], depth: number, maxPaths: number): string[] => {
  const folders = Map.groupBy(paths, (path) => folderAt(path, depth))
  const fullestFirst = [...folders].toSorted(([, some], [, others]) => others.length - some.length)
  let rest = paths
  for (const [folder, inside] of fullestFirst) {
    if (fits(rest, maxPaths)) break
    if (folder === undefined || inside.length < 2) continue
    const folded = new Set(inside)
    rest = [...rest.filter((path) => !folded.has(path)), `${folder}/*`]
  }
  return [...rest]
}

const isWildcard = (path: string) => path.endsWith('/*')

/** `/chat/20260101/user-1/0` lies at depth 4. */
const depthOf = (path: string) => path.split('/').length - 1

/** Undefined of what does not lie so deep. */
const folderAt = (path: string, depth: number): string | undefined =>
  depthOf(path) > depth ? path.split('/', depth + 1).join('/') : undefined
