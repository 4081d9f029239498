import { z } from 'zod'

/**
 * Decides a call by the rules of IAM, of what the policies here use: an explicit Deny anywhere refuses, else any Allow of the
 * caller's own policies or of the resource's gives the right, else it is refused. What it does not know it throws at.
 * Source: AWS IAM User Guide, "Policy evaluation logic" (one account, no boundaries) and "IAM JSON policy elements".
 */

/** `${aws:userid}` and the like would be taken for themselves. */
const plain = z.string().refine((text) => !text.includes('${'), { error: 'holds a variable, which is not known here' })
const texts = z.union([plain.transform((text) => [text]), z.array(plain)])
const principals = z.union([z.literal('*'), z.record(z.string(), texts)])
const values = z.union([plain, z.boolean(), z.number()]).transform(String)
const conditions = z.record(
  z.string(),
  z.record(z.string(), z.union([values.transform((one) => [one]), z.array(values)])),
)

const statementSchema = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Principal: principals.optional(),
  Action: texts,
  Resource: texts.optional(),
  Condition: conditions.default({}),
})
type Statement = z.infer<typeof statementSchema>

export const policySchema = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z.array(statementSchema),
})
export type Policy = z.infer<typeof policySchema>

export type Call = {
  action: string
  resource: string
  /** The role's ARN or the service's name; undefined: nobody. */
  caller?: { role: string } | { service: string }
  /** Keys of the request's context, besides the caller's own. */
  context?: Readonly<Record<string, string>>
}

export type Decision = 'allowed' | 'refused' | `refused by ${string}`

export const evaluate = (
  call: Call,
  policies: { own?: readonly Policy[]; ofResource?: readonly Policy[] },
): Decision => {
  const own = (policies.own ?? []).flatMap(({ Statement }) => Statement)
  const others = (policies.ofResource ?? []).flatMap(({ Statement }) => Statement)
  for (const { Principal } of own) if (Principal) throw new Error("a role's own policy names no principal")
  for (const { Principal } of others) if (!Principal) throw new Error("a resource's policy must name a principal")
  const matching = [...own, ...others].filter((statement) => matches(statement, call))
  const denial = matching.find(({ Effect }) => Effect === 'Deny')
  if (denial) return `refused by ${denial.Sid ?? 'a statement without a name'}`
  return matching.some(({ Effect }) => Effect === 'Allow') ? 'allowed' : 'refused'
}

const matches = (statement: Statement, call: Call) =>
  matchesPrincipal(statement.Principal, call.caller) &&
  statement.Action.some((pattern) => isLike(call.action.toLowerCase(), pattern.toLowerCase())) &&
  (statement.Resource ?? ['*']).some((pattern) => isLike(call.resource, pattern)) &&
  Object.entries(statement.Condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => holds(operator, wanted, contextOf(call).get(key.toLowerCase()))),
  )

const matchesPrincipal = (principal: Statement['Principal'], caller: Call['caller']) => {
  if (principal === undefined || principal === '*') return true
  return Object.entries(principal).some(([kind, names]) => {
    if (kind === 'Service') return caller && 'service' in caller && names.includes(caller.service)
    if (kind === 'AWS') return names.includes('*') || (caller && 'role' in caller && names.includes(caller.role))
    throw new Error(`principals of kind ${kind} are not known here`)
  })
}

/** Names of keys are compared without case, their values with it. */
const contextOf = ({ caller, context = {} }: Call) => {
  const ofCaller = caller && 'role' in caller ? { 'aws:PrincipalArn': caller.role } : {}
  return new Map(Object.entries({ ...ofCaller, ...context }).map(([key, value]) => [key.toLowerCase(), value]))
}

type Comparison = { test: (found: string, wanted: string) => boolean; isNegative?: boolean }

const comparisons: Readonly<Record<string, Comparison>> = {
  StringEquals: { test: (found, wanted) => found === wanted },
  StringNotEquals: { test: (found, wanted) => found === wanted, isNegative: true },
  StringLike: { test: (found, wanted) => isLike(found, wanted) },
  StringNotLike: { test: (found, wanted) => isLike(found, wanted), isNegative: true },
  ArnEquals: { test: (found, wanted) => isArnLike(found, wanted) },
  ArnLike: { test: (found, wanted) => isArnLike(found, wanted) },
  Bool: { test: (found, wanted) => found.toLowerCase() === wanted.toLowerCase() },
  NumericLessThan: { test: (found, wanted) => Number(found) < Number(wanted) },
  NumericGreaterThan: { test: (found, wanted) => Number(found) > Number(wanted) },
}

/** A key that the request lacks meets no positive condition, every negative one, and every one with IfExists. */
const holds = (operator: string, wanted: readonly string[], found: string | undefined): boolean => {
  if (operator === 'Null') return wanted.some((one) => (one === 'true') === (found === undefined))
  const ifExists = operator.endsWith('IfExists')
  const comparison = comparisons[operator.replace(/IfExists$/, '')]
  if (!comparison) throw new Error(`the operator ${operator} is not known here`)
  if (found === undefined) return ifExists || comparison.isNegative === true
  return wanted.some((one) => comparison.test(found, one)) !== (comparison.isNegative === true)
}

const isLike = (text: string, pattern: string): boolean => {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's').test(text)
}

/** Part by part: a star does not reach over a colon, but in the last part. */
const isArnLike = (text: string, pattern: string): boolean => {
  const parts = (arn: string) => {
    const all = arn.split(':')
    return [...all.slice(0, 5), all.slice(5).join(':')]
  }
  const found = parts(text)
  return parts(pattern).every((part, at) => isLike(found[at] ?? '', part))
}
