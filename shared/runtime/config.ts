import { z } from 'zod'

/** One environment variable: what it means, an example of a right value, and how it is read. */
export type Variable<T> = {
  about: string
  example: string
  /** Takes the text, or undefined when unset. A message that starts in lower case continues the value: "is not ...". */
  schema: z.ZodType<T>
  /** Its value is never printed. */
  secret?: boolean
}

export const variable = <T>(
  about: string,
  example: string,
  schema: z.ZodType<T>,
  options: { secret?: boolean } = {},
): Variable<T> => ({ about, example, schema, ...options })

export type Variables = Record<string, Variable<unknown>>

export type Config<V extends Variables> = { readonly [K in keyof V]: V[K] extends Variable<infer T> ? T : never }

/** The environment is not as the process needs it. The message lists every problem, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

/**
 * Reads all variables at once; an empty string counts as not set.
 * @throws ConfigError that lists every problem with the variable's name and an example of a right value.
 */
export const readConfig = <V extends Variables>(
  variables: V,
  environment: Readonly<Record<string, string | undefined>>,
): Config<V> => {
  const values: Record<string, unknown> = {}
  const problems: string[] = []
  for (const [name, one] of Object.entries(variables)) {
    const text = environment[name] === '' ? undefined : environment[name]
    const parsed = one.schema.safeParse(text)
    if (parsed.success) values[name] = parsed.data
    else problems.push(`${name}${describeProblem(one, text, parsed.error)}. For example: ${name}=${one.example}`)
  }
  if (problems.length > 0) throw new ConfigError(problems.join('\n'))
  // Each name's value came out of that name's own schema.
  return values as Config<V>
}

const describeProblem = ({ about, secret = false }: Variable<unknown>, text: string | undefined, error: z.ZodError) => {
  if (text === undefined) return ` is not set (${about})`
  const reason = error.issues.map(({ message }) => asPredicate(message)).join(' and ')
  if (!secret) return `: ${JSON.stringify(text.replace(/\/\/[^/?#]*@/, '//[hidden]@'))} ${reason}`
  return `: its value (a secret, not shown) ${reason.includes(text) ? 'is not right' : reason}`
}

// zod's own messages are sentences of their own ("Too small: ...").
const asPredicate = (message: string) => (/^[a-z]/.test(message) ? message : `is not right (${message})`)

/** A whole number from `min` to `max`, in digits; the schema's description is its range. */
export const wholeNumber = ({ min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {}) => {
  const isOpen = max === Number.MAX_SAFE_INTEGER
  return z
    .string()
    .refine((text) => /^-?\d{1,16}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `is not a whole number ${isOpen ? `of at least ${min}` : `from ${min} to ${max}`}`,
    })
    .transform(Number)
    .describe(isOpen ? `${min} or more` : `${min} to ${max}`)
}

/** A TCP port; 0 lets the system choose. */
export const portSchema = wholeNumber({ min: 0, max: 65_535 })

const urlOf = (form: RegExp, without: string) =>
  z.string().refine((text) => form.test(text) && URL.canParse(text), {
    error: `is not an http or https URL without ${without}`,
  })

/**
 * An http or https URL that paths can be appended to: no trailing slash is kept. A user in it would be dropped by the AWS
 * SDK, and refused by fetch.
 */
export const urlSchema = urlOf(/^https?:\/\/(?![^/]*@)[^\s?#\\]+$/i, 'user, password, query and fragment').transform(
  (text) => text.replace(/\/+$/, ''),
)

/** An http or https URL that is asked as it stands, with its query. */
export const wholeUrlSchema = urlOf(/^https?:\/\/(?![^/?]*@)[^\s#\\]+$/i, 'user, password and fragment')

export const booleanSchema = z
  .string()
  .refine((text) => text === 'true' || text === 'false', { error: 'is neither true nor false' })
  .transform((text) => text === 'true')

/** Comma-separated, trimmed; at least one entry. */
export const listSchema = z
  .string()
  .transform((text): readonly string[] =>
    text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  )
  .refine((entries) => entries.length > 0, { error: 'holds no entry between its commas' })
