import { AwsError } from '../errors.ts'

/** An element holds either elements or text; attributes are not kept. */
export type XmlElement = { name: string; text: string; children: readonly XmlElement[] }

const token =
  /<\?[^>]*\?>|<!--[\s\S]*?-->|<\/([\w:.-]+)\s*>|<([\w:.-]+)(?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*(\/?)>|([^<]+)/gy

/**
 * Reads the XML of a request body: elements, text, comments; no document type, no CDATA.
 * @throws AwsError MalformedXML
 */
export const parseXml = (text: string, rootName: string): XmlElement => {
  const open: { name: string; text: string; children: XmlElement[] }[] = [{ name: '', text: '', children: [] }]
  token.lastIndex = 0
  while (token.lastIndex < text.length) {
    const [whole, closed, opened, selfClosing, data] = token.exec(text) ?? []
    const top = open.at(-1)
    if (whole === undefined || !top) throw malformed()
    if (data !== undefined) top.text += unescapeXml(data)
    if (opened !== undefined) open.push({ name: opened, text: '', children: [] })
    if (closed !== undefined || selfClosing) closeElement(open, closed ?? opened)
  }
  const [root] = open[0]?.children ?? []
  if (open.length !== 1 || open[0]?.children.length !== 1 || root?.name !== rootName) throw malformed()
  return root
}

export const malformed = (detail = ''): AwsError =>
  new AwsError(
    'MalformedXML',
    400,
    `The XML you provided was not well-formed or did not validate against our published schema${detail && `: ${detail}`}`,
  )

/** The children of that name. */
export const childrenOf = (element: XmlElement, name: string): XmlElement[] =>
  element.children.filter((child) => child.name === name)

/** The text of the first child of that name. */
export const textOf = (element: XmlElement, name: string): string | undefined => childrenOf(element, name)[0]?.text

/** Markup; made by `element` and `join` alone, so that no text goes out unescaped. */
export type Xml = { markup: string }

export const element = (name: string, content: string | number | boolean | readonly Xml[]): Xml => {
  const inner = typeof content === 'object' ? content.map(({ markup }) => markup).join('') : escapeXml(String(content))
  return { markup: `<${name}>${inner}</${name}>` }
}

/** An element with its children as they were parsed. */
export const renderElement = ({ name, text, children }: XmlElement): Xml =>
  element(name, children.length > 0 ? children.map(renderElement) : text)

/** A whole document in S3's namespace; errors have none. */
export const xmlDocument = (
  name: string,
  children: readonly Xml[],
  namespace = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"',
) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${name}${namespace}>${children.map(({ markup }) => markup).join('')}</${name}>`

const closeElement = (
  open: { name: string; text: string; children: XmlElement[] }[],
  name: string | undefined,
): void => {
  const element = open.pop()
  const parent = open.at(-1)
  if (!element || !parent || element.name !== name) throw malformed()
  if (element.children.length > 0 && element.text.trim() !== '') throw malformed()
  parent.children.push(element)
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

const unescapeXml = (text: string): string =>
  text.replace(/&([^;&\s]{0,10};?)/g, (_whole, reference: string) => {
    const [, name = '', decimal, hex] = /^(?:(\w+)|#(\d+)|#x([\da-fA-F]+));$/.exec(reference) ?? []
    const code = decimal ? Number(decimal) : hex ? parseInt(hex, 16) : undefined
    const character = code === undefined ? named[name] : code <= 0x10ffff ? String.fromCodePoint(code) : undefined
    if (character === undefined) throw malformed()
    return character
  })

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
}

const escapeXml = (text: string): string => text.replace(/[&<>"\r]/g, (character) => escapes[character] ?? '')
