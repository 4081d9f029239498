import { randomUUID } from 'node:crypto'

import { notImplemented } from '../errors.ts'
import { invalidArgument } from './errors.ts'
import { childrenOf, malformed, textOf, type XmlElement } from './xml.ts'

/** When a rule takes an object, or the marker of one that has no versions left. */
export type Expiration = { kind: 'days'; days: number } | { kind: 'date'; dateMs: number } | { kind: 'lone markers' }
export type LifecycleRule = {
  isEnabled: boolean
  prefix: string
  expiration?: Expiration
  /** Versions that are not current go so many days after they ceased to be, all but the newest `kept` of them. */
  noncurrent?: { days: number; kept: number }
}

const actions = ['Expiration', 'NoncurrentVersionExpiration', 'AbortIncompleteMultipartUpload']
const members = [...actions, 'ID', 'Status', 'Filter', 'Prefix']
/** Parts of a rule that S3 knows and this service does not: a rule without them would take too much, or too little. */
const notBuilt = ['Transition', 'NoncurrentVersionTransition', 'Tag', 'ObjectSizeGreaterThan', 'ObjectSizeLessThan']
const maxIdLength = 255

/**
 * Checks a LifecycleConfiguration and gives every rule an ID. It is kept and given back as it came.
 * @throws AwsError MalformedXML, InvalidArgument or NotImplemented
 */
export const parseLifecycle = (root: XmlElement): XmlElement => {
  if (root.children.length > 1000 || childrenOf(root, 'Rule').length !== root.children.length) throw malformed()
  readRules(root)
  const children = root.children.map(withId)
  checkIds(children.map((rule) => textOf(rule, 'ID') ?? ''))
  return { ...root, children }
}

/** @throws AwsError as `parseLifecycle` does */
export const readRules = (root: XmlElement): LifecycleRule[] => {
  const rules = childrenOf(root, 'Rule').map(readRule)
  if (rules.length === 0) throw malformed()
  return rules
}

const readRule = (rule: XmlElement): LifecycleRule => {
  checkMembers(rule, members)
  const status = textOf(rule, 'Status')
  if (status !== 'Enabled' && status !== 'Disabled') throw malformed()
  if (!rule.children.some(({ name }) => actions.includes(name))) throw malformed('a rule needs an action')
  for (const abort of onlyChild(rule, 'AbortIncompleteMultipartUpload')) readAbort(abort)
  const [expiration] = onlyChild(rule, 'Expiration').map(readExpiration)
  const [noncurrent] = onlyChild(rule, 'NoncurrentVersionExpiration').map(readNoncurrent)
  return {
    isEnabled: status === 'Enabled',
    prefix: readPrefix(rule),
    ...(expiration && { expiration }),
    ...(noncurrent && { noncurrent }),
  }
}

const checkMembers = ({ children }: XmlElement, known: readonly string[]): void => {
  const other = children.find(({ name }) => !known.includes(name))
  if (!other) return
  throw notBuilt.includes(other.name) ? notImplemented(`${other.name} in a lifecycle rule`) : malformed(other.name)
}

const onlyChild = (element: XmlElement, name: string): XmlElement[] => {
  const children = childrenOf(element, name)
  if (children.length > 1) throw malformed()
  return children
}

/** The prefix stands in the rule, as it once was, or in a filter, alone or joined with conditions that are not built. */
const readPrefix = (rule: XmlElement): string => {
  const [filter] = onlyChild(rule, 'Filter')
  if (!filter) return textOf(rule, 'Prefix') ?? ''
  if (textOf(rule, 'Prefix') !== undefined) throw malformed()
  checkMembers(filter, ['Prefix', 'And'])
  const [and] = onlyChild(filter, 'And')
  if (!and) return textOf(filter, 'Prefix') ?? ''
  checkMembers(and, ['Prefix'])
  return textOf(and, 'Prefix') ?? ''
}

const readExpiration = (expiration: XmlElement): Expiration => {
  checkMembers(expiration, ['Days', 'Date', 'ExpiredObjectDeleteMarker'])
  const [only, ...others] = expiration.children
  if (!only || others.length > 0) throw malformed()
  if (only.name === 'Days') return { kind: 'days', days: readCount('Expiration', only) }
  if (only.name === 'Date') return { kind: 'date', dateMs: readDate(only.text) }
  // It may be said to be off, which is as if it were not said.
  if (only.text !== 'true' && only.text !== 'false') throw malformed()
  return only.text === 'true' ? { kind: 'lone markers' } : { kind: 'date', dateMs: Infinity }
}

const readNoncurrent = (noncurrent: XmlElement): { days: number; kept: number } => {
  checkMembers(noncurrent, ['NoncurrentDays', 'NewerNoncurrentVersions'])
  const [days] = onlyChild(noncurrent, 'NoncurrentDays')
  const [kept] = onlyChild(noncurrent, 'NewerNoncurrentVersions')
  if (!days) throw malformed()
  const count = kept ? readCount('NoncurrentVersionExpiration', kept) : 0
  if (count > 100)
    throw invalidArgument("'NewerNoncurrentVersions' must be at most 100", 'NewerNoncurrentVersions', String(count))
  return { days: readCount('NoncurrentVersionExpiration', days), kept: count }
}

/** There are no multipart uploads here, so there is nothing to abort. */
const readAbort = (abort: XmlElement): void => {
  checkMembers(abort, ['DaysAfterInitiation'])
  const [days] = onlyChild(abort, 'DaysAfterInitiation')
  if (!days) throw malformed()
  readCount('AbortIncompleteMultipartUpload', days)
}

const readCount = (action: string, { name, text }: XmlElement): number => {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw invalidArgument(`'${name}' for ${action} action must be a positive integer`, name, text)
  return Number(text)
}

const readDate = (text: string): number => {
  const dateMs = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(dateMs)) throw malformed()
  if (dateMs % 86_400_000 !== 0) throw invalidArgument("'Date' must be at midnight GMT", 'Date', text)
  return dateMs
}

const withId = (rule: XmlElement): XmlElement =>
  textOf(rule, 'ID')
    ? rule
    : { ...rule, children: [{ name: 'ID', text: randomUUID(), children: [] }, ...rule.children] }

const checkIds = (ids: readonly string[]): void => {
  const long = ids.find((id) => id.length > maxIdLength)
  if (long !== undefined)
    throw invalidArgument(`ID length should not exceed allowed limit of ${maxIdLength}`, 'ID', long)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined)
    throw invalidArgument('Rule ID must be unique. Found same ID for more than one rule', 'ID', twice)
}
