import { isDeepStrictEqual } from 'node:util'

import type { Contracts, JsonSchema } from './contracts.ts'

/**
 * What a change takes from those who read by the earlier contract, or from those who replay what was published under it;
 * one sentence each. Only this is additive: a new contract, a new optional field, one more value in a list of values, and
 * any change of words (title, description). Whatever else differs counts as a break, loosened limits too.
 */
export const findContractBreaks = (before: Contracts, after: Contracts): string[] =>
  [...before].flatMap(([name, schema]) => {
    const next = after.get(name)
    return next ? findBreaks(schema, next, name) : [`${name}: the contract is gone`]
  })

export const findBreaks = (before: JsonSchema, after: JsonSchema, path: string): string[] => [
  ...findFieldBreaks(before, after, path),
  ...findLostValues(before, after, path),
  ...findChangedRules(before, after, path),
]

const findFieldBreaks = (before: JsonSchema, after: JsonSchema, path: string): string[] => {
  const [fields, nextFields] = [fieldsOf(before), fieldsOf(after)]
  const [required, nextRequired] = [textsOf(before['required']), textsOf(after['required'])]
  const names = [...new Set([...Object.keys(fields), ...required, ...nextRequired])]
  return names.flatMap((name) => {
    const [field, next] = [fields[name], nextFields[name]]
    if (field && !next) return [`${path}.${name}: the field is gone`]
    if (required.has(name) && !nextRequired.has(name)) return [`${path}.${name}: the field may be absent now`]
    if (!required.has(name) && nextRequired.has(name)) return [`${path}.${name}: the field is required now`]
    return field && next ? findBreaks(field, next, `${path}.${name}`) : []
  })
}

const findLostValues = (before: JsonSchema, after: JsonSchema, path: string): string[] => {
  const [values, nextValues] = [before['enum'], after['enum']]
  if (!Array.isArray(values) || !Array.isArray(nextValues)) {
    return values === nextValues ? [] : [`${path}: the list of values has come or gone`]
  }
  return values.filter((value) => !nextValues.includes(value)).map((value) => `${path}: the value ${value} is gone`)
}

/** Keywords that say nothing about a value, or that are compared by themselves. */
const passedOver = new Set(['$id', '$schema', 'title', 'description', 'properties', 'required', 'enum'])

const findChangedRules = (before: JsonSchema, after: JsonSchema, path: string): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((keyword) => !passedOver.has(keyword) && !isDeepStrictEqual(before[keyword], after[keyword]))
    .map(
      (keyword) => `${path}: ${keyword} was ${JSON.stringify(before[keyword])}, is ${JSON.stringify(after[keyword])}`,
    )

/** JSON Schema's own shapes: `properties` holds schemas, `required` names. */
const fieldsOf = (schema: JsonSchema) => (schema['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>
const textsOf = (value: unknown) => new Set((value ?? []) as readonly string[])
