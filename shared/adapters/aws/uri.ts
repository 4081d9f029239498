import { RefusalError } from '#shared/ports/failures.ts'

/**
 * A text as one part of a URI: all but unreserved characters become %XX of their UTF-8 bytes.
 * Source: RFC 3986, section 2.3; AWS Signature Version 4 asks for exactly this form.
 * @throws RefusalError for half of a surrogate pair: UTF-8 cannot name it
 */
export const encodePart = (text: string): string => {
  if (!text.isWellFormed()) throw new RefusalError(`${JSON.stringify(text)} is not well-formed Unicode`)
  return encodeURIComponent(text).replace(/[!'()*]/g, toHex)
}

const toHex = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`

/** As `encodePart`, but slashes stay: S3 takes a key's `.`, `..` and empty segments as they are. */
export const encodePath = (path: string): string =>
  // As keys of ours are.
  /^[\w/.~-]*$/.test(path) ? path : encodePart(path).replaceAll('%2F', '/')

/** Names and values as a query, in the order in which they are signed. */
export const encodeQuery = (query: Readonly<Record<string, string>>): string =>
  Object.entries(query)
    .map(([name, value]) => [encodePart(name), encodePart(value)] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map((pair) => pair.join('='))
    .join('&')
