const form = /^([0-9a-f]{2})-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16})-([0-9a-f]{2})($|-)/

/**
 * A trace context of version 00 that can be carried on, or undefined for anything else, which is passed over as its rules
 * ask. Of a later version only the ids and the sampled bit are known, and may have been followed by more.
 * Source: W3C Trace Context, "Versioning of traceparent".
 */
export const readTraceparent = (text: string | undefined): string | undefined => {
  const [whole, version = '', ids = '', flags = '', next = ''] = form.exec(text ?? '') ?? []
  if (whole === undefined || version === 'ff') return undefined
  if (version === '00') return next === '' ? whole : undefined
  return `00-${ids}-0${Number.parseInt(flags, 16) & 1}`
}
