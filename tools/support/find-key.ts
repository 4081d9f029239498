import { parseKey, type KeyFacts } from '#shared/domain/keys.ts'
import { purposePrefixes } from '#shared/domain/resources.ts'

import { UsageError } from './run-tool.ts'

/** The key that a text names: as it is, percent-encoded, or in a URL of the CDN, the API or the bucket. @throws UsageError */
export const findKey = (text: string): KeyFacts => {
  const path = decode(text.replace(/[?#].*$/s, '')).replace(/\/metadata$/, '')
  const starts = purposePrefixes.map((prefix) => (path.startsWith(prefix) ? 0 : path.indexOf(`/${prefix}`) + 1 || -1))
  const start = Math.max(...starts)
  const parsed = parseKey(start > 0 ? path.slice(start) : path)
  if (parsed.ok) return parsed.facts
  throw new UsageError(`${text} is no image's key: ${parsed.problem}`)
}

/** Not every percent sign in a pasted text begins an encoding. */
const decode = (text: string) => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
