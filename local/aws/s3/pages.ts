import { anySequence, type Place } from './version-rows.ts'

export type PageQuery = {
  prefix: string
  delimiter: string
  maxKeys: number
  /** The key or common prefix that the page before ended with. */
  after: string
}
/** `next` is what the page ends with when more follows, and `last` that entry unless it is a common prefix. */
export type Page<Entry> = {
  entries: Entry[]
  commonPrefixes: string[]
  next: string | undefined
  last: Entry | undefined
}

/** Where rows begin that have this prefix and come behind all versions of `after`, or behind one that is below. */
export const placeOf = (prefix: string, after: string, below = 0): Place =>
  Buffer.compare(Buffer.from(prefix), Buffer.from(after)) > 0 || after === ''
    ? { key: prefix, below: anySequence }
    : { key: after, below }

/** Takes a page out of rows that are in the order of their keys' UTF-8 bytes. */
export const readPage = <Entry extends { key: string }>(
  rows: Iterable<Entry>,
  { prefix, delimiter, maxKeys, after }: PageQuery,
): Page<Entry> => {
  const page: Page<Entry> = { entries: [], commonPrefixes: [], next: undefined, last: undefined }
  let name = after
  for (const entry of rows) {
    if (!entry.key.startsWith(prefix)) break
    const end = delimiter === '' ? -1 : entry.key.indexOf(delimiter, prefix.length)
    const commonPrefix = end === -1 ? undefined : entry.key.slice(0, end + delimiter.length)
    // A common prefix is told once.
    if (commonPrefix !== undefined && commonPrefix === name) continue
    if (page.entries.length + page.commonPrefixes.length === maxKeys)
      return maxKeys === 0 ? page : { ...page, next: name }
    name = commonPrefix ?? entry.key
    page.last = commonPrefix === undefined ? entry : undefined
    if (commonPrefix === undefined) page.entries.push(entry)
    else page.commonPrefixes.push(commonPrefix)
  }
  return { ...page, last: undefined }
}
