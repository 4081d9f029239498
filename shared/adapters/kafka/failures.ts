import { OutageError, RefusalError, SetupError } from '#shared/ports/failures.ts'

/** Kafka's error codes by name, https://kafka.apache.org/protocol.html#protocol_error_codes */
const refusals = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_RECORD', 'INVALID_TIMESTAMP'])
const unknownTopic = new Set(['UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_TOPIC_EXCEPTION'])
const denied = new Set([
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
  'SECURITY_DISABLED',
])
const misfits = new Set([
  'INCONSISTENT_GROUP_PROTOCOL',
  'INVALID_GROUP_ID',
  'INVALID_SESSION_TIMEOUT',
  'GROUP_MAX_SIZE_REACHED',
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_COMPRESSION_TYPE',
  'INVALID_PARTITIONS',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_CONFIG',
  'POLICY_VIOLATION',
])

/** What kafkajs and Node tell of a failure; kafkajs wraps, and its outermost error knows least. */
type Facts = { name: string; type: string; code: string; message: string }

/** Of the innermost error that has one. */
const factsOf = (error: unknown): Facts => {
  const chain: Record<string, unknown>[] = []
  for (let one = error; one instanceof Error && chain.length < 10; one = one.cause)
    // Errors of kafkajs carry fields of their own.
    chain.push({ name: one.name, message: one.message, ...(one as object) })
  const innermost = (field: string) => {
    const found = chain.findLast((one) => typeof one[field] === 'string')?.[field]
    return typeof found === 'string' ? found : ''
  }
  return { name: innermost('name'), type: innermost('type'), code: innermost('code'), message: innermost('message') }
}

/** A certificate that Node does not accept: its codes name what is wrong with it. */
const isCertificateCode = (code: string) => /CERT|SIGNATURE|^ERR_TLS|^ERR_SSL/.test(code)

/** The group goes on under another generation; kafkajs joins it again by itself. */
export const isRejoining = (error: unknown) =>
  ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'NOT_COORDINATOR_FOR_GROUP'].includes(
    factsOf(error).type,
  )

/** A broker that hangs, or a network that swallows. */
export const isUnanswered = (error: unknown) => factsOf(error).name === 'KafkaJSRequestTimeoutError'

/** Neither Kafka nor the network: a fault of kafkajs, or data that it can't read. */
export const isFault = (error: unknown): boolean => {
  const { name, type } = factsOf(error)
  return (
    type === '' &&
    /^(TypeError|RangeError|ReferenceError|SyntaxError|KafkaJS(NotImplemented|PartialMessage|Invariant|Unsupported|NonRetriable))/.test(
      name,
    )
  )
}

export const isUnknownTopic = (error: unknown) => unknownTopic.has(factsOf(error).type)

/** Whether the same call may succeed in a moment. A topic may be new to the broker that was asked. */
export const isPassing = (error: unknown): boolean =>
  isUnknownTopic(error) || explainFailure(error, []) instanceof OutageError

/** What kafkajs threw, as the port's errors. `topics`: those that were asked for, to be named. */
export const explainFailure = (error: unknown, topics: readonly string[]): Error => {
  if (error instanceof OutageError || error instanceof RefusalError || error instanceof SetupError) return error
  const { name, type, code, message } = factsOf(error)
  const cause = { cause: error }
  if (refusals.has(type)) return new RefusalError(`Kafka refuses a record for ${topics.join()}: ${message}.`, cause)
  if (unknownTopic.has(type)) return unknownTopics(topics, cause)
  if (name === 'KafkaJSSASLAuthenticationError' || denied.has(type))
    return new SetupError(`Kafka denies access: ${message}. ${accessAdvice}`, cause)
  if (isCertificateCode(code))
    return new SetupError(`The brokers' TLS can't be trusted: ${message}. ${tlsAdvice}`, cause)
  if (misfits.has(type)) return new SetupError(`Kafka: ${message} (${type}).`, cause)
  const detail = message || String(error)
  const advised = isHungUp(message) ? `${detail}: ${listenerAdvice}` : detail
  return new OutageError('the event log', advised, cause)
}

/** A listener of another kind hangs up without a word, and so does a broker that ends: in kafkajs's and Node's words. */
const isHungUp = (message: string) => /^Closed connection$|before secure TLS connection was established/.test(message)
const listenerAdvice = 'is this a listener for TLS or SASL? See KAFKA_SSL and KAFKA_SASL_MECHANISM'

const accessAdvice =
  'Look at KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and at what the user may do.'
const tlsAdvice = 'KAFKA_SSL_CA takes the certificate that they are signed by.'

/** A sentence that names all of them. */
export const unknownTopics = (names: readonly string[], options?: ErrorOptions): SetupError => {
  const subject = names.length === 1 ? `The topic ${names.join()} does` : `The topics ${names.join(', ')} do`
  return new SetupError(`${subject} not exist. \`npm run topics\` creates it.`, options)
}
