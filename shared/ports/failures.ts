/** What a service of ours depends on; probes are kept by these names. */
export type Dependency = 'S3' | 'SQS' | 'the event log'

/**
 * Something that we depend on is away, throttled or refuses everyone for now. Callers wait and probe; it never counts
 * against the message or record in hand.
 */
export class OutageError extends Error {
  override readonly name = 'OutageError'
  readonly service: Dependency

  constructor(service: Dependency, detail: string, options?: ErrorOptions) {
    super(`${service} is away: ${detail}`, options)
    this.service = service
  }
}

/** An outage of our own making: there are no credentials to ask the service with, for now. Others may be on their way. */
export class CredentialsError extends OutageError {
  constructor(service: Dependency, detail: string, options?: ErrorOptions) {
    super(service, detail, options)
    this.message = `${service} cannot be asked: ${detail}`
  }
}

/** What was asked cannot be done as asked, however often it is repeated: the message or record itself is at fault. */
export class RefusalError extends Error {
  override readonly name = 'RefusalError'
}

/** The set-up is wrong (credentials, a missing queue or topic): no waiting mends it, the process ends and says why. */
export class SetupError extends Error {
  override readonly name = 'SetupError'
}
