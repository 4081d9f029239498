import type { HttpAnswer } from './exchange.ts'

/** An answer that is no success, with the fields of the SDK's exceptions: `awsFailure` and `statusOf` read both. */
export class AnswerError extends Error {
  override readonly name: string
  readonly $metadata: { httpStatusCode: number }
  /** When the service answered, by its own clock. */
  readonly answeredAt: Date | undefined
  /** Of S3: what was asked for is a delete marker. */
  readonly isDeleteMarker: boolean

  constructor(answer: HttpAnswer) {
    const { code, message } = readError(answer)
    super(message.slice(0, longestText))
    this.name = code.slice(0, longestText)
    this.$metadata = { httpStatusCode: answer.status }
    const answeredAt = new Date(headerOf(answer, 'date') ?? NaN)
    this.answeredAt = Number.isNaN(answeredAt.getTime()) ? undefined : answeredAt
    this.isDeleteMarker = headerOf(answer, 'x-amz-delete-marker') === 'true'
  }
}

const longestText = 1000

export const headerOf = ({ headers }: Pick<HttpAnswer, 'headers'>, name: string): string | undefined => {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.join(', ')
}

const readError = (answer: HttpAnswer) => {
  const text = answer.body.toString('utf8')
  const { code, message } = /^[\s\ufeff]*</.test(text) ? readXml(text) : readJson(text)
  return { code: code || codeOfHeaders(answer), message }
}

/** Answers without a body, as HEAD's, name no code; a 301 means one thing only. */
const codeOfHeaders = (answer: HttpAnswer) => {
  const named = headerOf(answer, 'x-amzn-errortype') ?? headerOf(answer, 'x-amzn-query-error') ?? ''
  const [code = ''] = shorten(named).split(';')
  return code || (answer.status === 301 ? 'PermanentRedirect' : 'Unknown')
}

/** The first Code and Message of `<Error>`, or of SQS's older `<ErrorResponse><Error>`. */
const readXml = (text: string) => ({ code: elementOf(text, 'Code'), message: elementOf(text, 'Message') })

const elementOf = (text: string, name: string) => {
  const [, content = ''] = new RegExp(`<(?:\\w+:)?${name}(?:\\s[^>]*)?>([^<]*)<`).exec(text) ?? []
  return content.replace(/&(#x?[\da-f]+|\w+);/gi, decodeEntity).trim()
}

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }

const decodeEntity = (whole: string, name: string) => {
  if (!name.startsWith('#')) return entities[name] ?? whole
  const point = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
  return point <= 0x10ffff ? String.fromCodePoint(point) : whole
}

const readJson = (text: string) => {
  try {
    const fields: unknown = JSON.parse(text)
    if (fields === null || typeof fields !== 'object') return nothing
    const read = (...names: string[]) => names.map((name): unknown => Reflect.get(fields, name)).find(isText) ?? ''
    return { code: shorten(read('__type', 'code', 'Code')), message: read('message', 'Message') }
  } catch {
    return nothing
  }
}

const nothing = { code: '', message: '' }

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** `com.amazonaws.sqs#QueueDoesNotExist` and `QueueDoesNotExist:http://...` both mean the name alone. */
const shorten = (type: string) => type.replace(/^.*#/, '').replace(/:.*$/, '')
