import { hasSignature } from './bytes.ts'
import type { Inspection } from './inspection.ts'

/** How far into a text its kind is looked for: white space, comments and a licence may stand before it. */
const markupBytes = 16_384
/** How far it is asked whether something is a text at all. */
const textBytes = 1024
/** Fewer are no text yet: many formats begin with a few letters. */
const minTextBytes = 16

/** The tags that HTML is known by (WHATWG MIME Sniffing, 7.1), and more that pages begin with or that carry scripts. */
const htmlTag = new RegExp(
  '^<(?:!doctype html|html|head|script|iframe|h[1-6]|div|font|table|a|style|title|b|body|br|p|meta|link|form|object|' +
    'embed|img|base|frameset|center|span|ul|ol|video|audio|input|button|details|main|section|header|nav)[\\s>/]',
)

/** Names a text by what it begins with. Undefined for what is no text. */
export const nameText = (bytes: Uint8Array): Inspection | undefined => {
  const head = bytes.subarray(0, markupBytes)
  const wide = findWideEncoding(head)
  const text = new TextDecoder(wide).decode(head).trimStart().toLowerCase()
  const markup = skipComments(text)
  const isText = wide !== undefined || (head.length > 0 && !head.subarray(0, textBytes).some(isControl))
  const isLong = wide !== undefined || head.length >= minTextBytes
  return nameActive(text, markup) ?? (isText ? nameInert(markup, isLong) : undefined)
}

/** By the byte order mark. */
const findWideEncoding = (bytes: Uint8Array): string | undefined => {
  if (hasSignature(bytes, '\xff\xfe')) return 'utf-16le'
  return hasSignature(bytes, '\xfe\xff') ? 'utf-16be' : undefined
}

/** What browsers, servers and shells take for such by its beginning, whatever bytes follow. */
const nameActive = (text: string, markup: string): Inspection | undefined => {
  if (text.startsWith('<?php')) return { kind: 'other', name: 'a PHP script', mediaType: 'application/x-httpd-php' }
  if (htmlTag.test(markup) || isXhtml(markup)) return { kind: 'other', name: 'an HTML page', mediaType: 'text/html' }
  const [, program] = /^#![ \t]*(\/[!-~]+(?:[ \t]+[!-~]+)?)/.exec(text) ?? []
  if (program === undefined) return undefined
  return /sh(?:\s|$)/.test(program)
    ? { kind: 'other', name: 'a shell script', mediaType: 'application/x-sh' }
    : { kind: 'other', name: 'a script' }
}

const nameInert = (markup: string, isLong: boolean): Inspection | undefined => {
  if (isSvg(markup)) return { kind: 'other', name: 'an SVG image', mediaType: 'image/svg+xml' }
  if (markup.startsWith('<?xml')) return { kind: 'other', name: 'XML', mediaType: 'application/xml' }
  return isLong ? { kind: 'other', name: 'plain text', mediaType: 'text/plain' } : undefined
}

/** The bytes that make content binary (WHATWG MIME Sniffing, 3, "binary data byte"). */
const isControl = (byte: number): boolean =>
  byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f)

const skipComments = (text: string): string => {
  let at = 0
  while (text.startsWith('<!--', at)) {
    const end = text.indexOf('-->', at)
    if (end < 0) break
    at = end + 3
    while (/\s/.test(text.charAt(at))) at++
  }
  return text.slice(at)
}

/** XHTML begins with an XML declaration. */
const isXhtml = (markup: string): boolean => {
  const end = markup.startsWith('<?xml') ? markup.indexOf('?>') : -1
  return end >= 0 && /^<(?:!doctype )?html[\s>/]/.test(skipComments(markup.slice(end + 2).trimStart()))
}

/** SVG may begin with an XML declaration, comments and a document type, and its elements may have a prefix. */
const isSvg = (markup: string): boolean =>
  /^<(?:!doctype )?(?:[\w-]+:)?svg[\s>/]/.test(markup) ||
  (markup.startsWith('<?xml') && /<(?:!doctype )?(?:[\w-]+:)?svg[\s>/]/.test(markup))
