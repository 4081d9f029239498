/** A refused call: `code`, `status` and `fields` are what the caller is told, `headers` go beside them. */
export class AwsError extends Error {
  readonly code: string
  readonly status: number
  readonly fields: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: string,
    status: number,
    message: string,
    fields: Readonly<Record<string, string>> = {},
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.name = 'AwsError'
    this.code = code
    this.status = status
    this.fields = fields
    this.headers = headers
  }
}

/** What is not built is refused aloud: a call that is ignored in silence would pass here and fail on AWS. */
export const notImplemented = (what: string): AwsError =>
  new AwsError('NotImplemented', 501, `This local service does not implement ${what}.`)
