import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { stripTypeScriptTypes } from 'node:module'

// Packages as a browser takes them: each file by its own URL, found by an import map; nothing is bundled. Paths are from
// the root of the project, and the URL of a file is its path.

const importPattern = /\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g
const requirePattern = /\brequire\(['"]([^'"]+)['"]\)/g
const conditions = ['import', 'default']

const parsePackage = (path: string) =>
  JSON.parse(readFileSync(path, 'utf8')) as { type?: string; main?: string; exports?: unknown } // npm's own file format

/** The file of a bare specifier, as Node finds it for an `import`. @throws when there is none */
const resolvePackage = (specifier: string, importer: string): string => {
  const [, name = '', rest = ''] = /^((?:@[^/]+\/)?[^/]+)(.*)$/.exec(specifier) ?? []
  const folder = findFolder(name, dirname(importer))
  const { exports, main = 'index.js' } = parsePackage(join(folder, 'package.json'))
  const target = exports === undefined ? rest || main : findExport(exports, `.${rest}`)
  if (target === undefined) throw new Error(`${name} exports no .${rest}`)
  return findFile(join(folder, target))
}

const findFolder = (name: string, from: string): string => {
  const folder = join(from, 'node_modules', name)
  if (existsSync(join(folder, 'package.json'))) return folder
  if (from === '.') throw new Error(`the package ${name} is not installed`)
  return findFolder(name, dirname(from))
}

/** Without subpath patterns, which none of the packages here has. Source: https://nodejs.org/api/packages.html#exports */
const findExport = (exports: unknown, subpath: string): string | undefined => {
  if (typeof exports === 'string') return subpath === '.' ? exports : undefined
  const table = new Map(Object.entries(exports ?? {}))
  const isSubpaths = [...table.keys()].some((key) => key.startsWith('.'))
  return isSubpaths ? pickTarget(table.get(subpath)) : subpath === '.' ? pickTarget(exports) : undefined
}

const pickTarget = (target: unknown): string | undefined => {
  if (typeof target === 'string' || target === undefined) return target
  const [, found] = Object.entries(target ?? {}).find(([condition]) => conditions.includes(condition)) ?? []
  return found === undefined ? undefined : pickTarget(found)
}

const findFile = (path: string): string => (existsSync(path) || !existsSync(`${path}.js`) ? path : `${path}.js`)

const isCommonJs = (path: string): boolean => {
  if (!path.endsWith('.js')) return false
  let folder = dirname(path)
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  return parsePackage(join(folder, 'package.json')).type !== 'module'
}

/** What a CommonJS file gets by `require` are imports; its `module.exports` is the default export. */
const wrapCommonJs = (path: string, source: string): string => {
  const names = [...new Set([...source.matchAll(requirePattern)].map(([, name = '']) => name))]
  const imports = names.map((name, index) => `import required${index} from '/${resolveRequired(name, path)}'\n`)
  const table = names.map((name, index) => `${JSON.stringify(name)}: required${index}`)
  return `${imports.join('')}const require = (name) => ({ ${table.join(', ')} })[name]
const module = { exports: {} }
const { exports } = module
${source}
export default module.exports
`
}

const resolveRequired = (name: string, path: string) =>
  name.startsWith('.') ? findFile(join(dirname(path), name)) : resolvePackage(name, path)

/** The text of a module as a browser can run it. */
export const readModule = (path: string): string => {
  const source = readFileSync(path, 'utf8')
  if (path.endsWith('.ts')) return stripTypeScriptTypes(source)
  return isCommonJs(path) ? wrapCommonJs(path, source) : source
}

/** The import map of all that these modules import, and what that imports. @throws for two versions of a package */
export const planImportMap = (entries: readonly string[]): { imports: Record<string, string> } => {
  const imports: Record<string, string> = {}
  const seen = new Set<string>()
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    if (path.endsWith('.json')) return
    for (const [, specifier = ''] of readModule(path).matchAll(importPattern)) {
      if (specifier.startsWith('/')) visit(specifier.slice(1))
      else if (specifier.startsWith('.')) visit(join(dirname(path), specifier))
      else {
        const url = `/${resolvePackage(specifier, path)}`
        if ((imports[specifier] ??= url) !== url)
          throw new Error(`${specifier} is both ${imports[specifier]} and ${url}`)
        visit(url.slice(1))
      }
    }
  }
  for (const entry of entries) visit(relative('.', entry))
  return { imports }
}
