import { hasSignature } from './bytes.ts'
import type { Inspection } from './inspection.ts'

/** How far into a text its kind is looked for. */
const textBytes = 1024
/** Fewer are no text yet: many formats begin with a few letters. */
const minTextBytes = 16

/** The tags that HTML is known by (WHATWG MIME Sniffing, 7.1), and three more that carry scripts. */
const htmlTag =
  /^<(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|meta|link|form|object|embed|img)[\s>/]/

/** Names a text by what it begins with. Undefined for what is no text. */
export const nameText = (bytes: Uint8Array): Inspection | undefined => {
  const head = bytes.subarray(0, textBytes)
  if (hasSignature(head, '\xff\xfe') || hasSignature(head, '\xfe\xff')) return plainText
  const text = new TextDecoder().decode(head).trimStart().toLowerCase()
  return nameActive(text) ?? (head.length === 0 || head.some(isControl) ? undefined : nameInert(text, head.length))
}

const plainText: Inspection = { kind: 'other', name: 'plain text', mediaType: 'text/plain' }

/** What browsers and servers take for such by its beginning, whatever bytes follow. */
const nameActive = (text: string): Inspection | undefined => {
  if (text.startsWith('<?php')) return { kind: 'other', name: 'a PHP script', mediaType: 'application/x-httpd-php' }
  if (htmlTag.test(skipComments(text))) return { kind: 'other', name: 'an HTML page', mediaType: 'text/html' }
  return undefined
}

const nameInert = (text: string, length: number): Inspection | undefined => {
  const markup = skipComments(text)
  if (text.startsWith('#!')) return { kind: 'other', name: 'a shell script', mediaType: 'application/x-sh' }
  if (isSvg(markup)) return { kind: 'other', name: 'an SVG image', mediaType: 'image/svg+xml' }
  if (markup.startsWith('<?xml')) return { kind: 'other', name: 'XML', mediaType: 'application/xml' }
  return length < minTextBytes ? undefined : plainText
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

/** SVG may begin with an XML declaration, comments and a document type. */
const isSvg = (markup: string): boolean =>
  /^<(?:svg|!doctype svg)[\s>/]/.test(markup) ||
  (markup.startsWith('<?xml') && /<(?:svg|!doctype svg)[\s>/]/.test(markup))
