import { AwsError } from '../errors.ts'

// The first part is the name in the JSON protocol, the second the code of the older query protocol,
// which the SDKs still read from x-amzn-query-error. Source: the SQS service model.
const queryCodes: Readonly<Record<string, string>> = {
  BatchEntryIdsNotDistinct: 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct',
  BatchRequestTooLong: 'AWS.SimpleQueueService.BatchRequestTooLong',
  EmptyBatchRequest: 'AWS.SimpleQueueService.EmptyBatchRequest',
  InvalidBatchEntryId: 'AWS.SimpleQueueService.InvalidBatchEntryId',
  MessageNotInflight: 'AWS.SimpleQueueService.MessageNotInflight',
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  QueueNameExists: 'QueueAlreadyExists',
  TooManyEntriesInBatchRequest: 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest',
  UnsupportedOperation: 'AWS.SimpleQueueService.UnsupportedOperation',
  InvalidParameterValueException: 'InvalidParameterValue',
  MissingRequiredParameterException: 'MissingParameter',
  AccessDeniedException: 'AccessDenied',
  IncompleteSignatureException: 'IncompleteSignature',
  InvalidSignatureException: 'SignatureDoesNotMatch',
  UnknownOperationException: 'InvalidAction',
  UnrecognizedClientException: 'InvalidClientTokenId',
}

const modelled = new Set([
  ...Object.keys(queryCodes).filter((code) => !code.endsWith('Exception')),
  'InvalidAddress',
  'InvalidAttributeName',
  'InvalidAttributeValue',
  'InvalidMessageContents',
  'ReceiptHandleIsInvalid',
])

export const sqsError = (code: string, message: string, status = 400): AwsError => new AwsError(code, status, message)

export const invalidParameter = (message: string): AwsError => sqsError('InvalidParameterValueException', message)

export const missingParameter = (name: string): AwsError =>
  sqsError('MissingRequiredParameterException', `The request must contain the parameter ${name}.`)

/** The `__type` of an error's JSON body. */
export const errorType = (code: string): string =>
  modelled.has(code) ? `com.amazonaws.sqs#${code}` : `com.amazon.coral.service#${code}`

/** The code that query-compatible clients and batch answers name. */
export const queryCode = (code: string): string => queryCodes[code] ?? code
