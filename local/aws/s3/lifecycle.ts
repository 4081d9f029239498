import { randomUUID } from 'node:crypto'

import { invalidArgument } from './errors.ts'
import { childrenOf, malformed, textOf, type XmlElement } from './xml.ts'

const actions = ['Expiration', 'NoncurrentVersionExpiration', 'AbortIncompleteMultipartUpload']
const members = [...actions, 'ID', 'Status', 'Filter', 'Prefix']

/**
 * Checks a LifecycleConfiguration and gives every rule an ID. It is kept and given back as it came; nothing expires yet.
 * @throws AwsError MalformedXML or InvalidArgument
 */
export const parseLifecycle = (root: XmlElement): XmlElement => {
  const rules = childrenOf(root, 'Rule')
  if (rules.length === 0 || rules.length > 1000 || rules.length !== root.children.length) throw malformed()
  rules.forEach(checkRule)
  return { ...root, children: rules.map(withId) }
}

const checkRule = (rule: XmlElement): void => {
  const status = textOf(rule, 'Status')
  if (status !== 'Enabled' && status !== 'Disabled') throw malformed()
  const unknown = rule.children.find(({ name }) => !members.includes(name))
  if (unknown) throw malformed(`${unknown.name} is not implemented by this local service`)
  if (!rule.children.some(({ name }) => actions.includes(name))) throw malformed('a rule needs an action')
  for (const expiration of childrenOf(rule, 'Expiration')) {
    const days = textOf(expiration, 'Days')
    if (days !== undefined && !/^[1-9]\d{0,8}$/.test(days))
      throw invalidArgument("'Days' for Expiration action must be a positive integer", 'Days', days)
  }
}

const withId = (rule: XmlElement): XmlElement =>
  textOf(rule, 'ID')
    ? rule
    : { ...rule, children: [{ name: 'ID', text: randomUUID(), children: [] }, ...rule.children] }
