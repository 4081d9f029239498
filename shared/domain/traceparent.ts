const form = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/**
 * A trace context that can be carried on, or undefined for anything else, which is passed over as its rules ask.
 * Source: W3C Trace Context, version 00.
 */
export const readTraceparent = (text: string | undefined): string | undefined =>
  text !== undefined && form.test(text) ? text : undefined
