import { AwsError } from '../errors.ts'

export const noSuchBucket = (bucket: string) =>
  new AwsError('NoSuchBucket', 404, 'The specified bucket does not exist', { BucketName: bucket })

export const noSuchKey = (key: string, headers: Readonly<Record<string, string>> = {}) =>
  new AwsError('NoSuchKey', 404, 'The specified key does not exist.', { Key: key }, headers)

export const noSuchVersion = (key: string, version: string) =>
  new AwsError('NoSuchVersion', 404, 'The specified version does not exist.', { Key: key, VersionId: version })

/** For a delete marker that is asked for by its version: it can only be deleted. */
export const methodNotAllowed = (headers: Readonly<Record<string, string>>) =>
  new AwsError(
    'MethodNotAllowed',
    405,
    'The specified method is not allowed against this resource.',
    { ResourceType: 'DeleteMarker' },
    headers,
  )

export const preconditionFailed = (condition: string) =>
  new AwsError('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', {
    Condition: condition,
  })

export const invalidArgument = (message: string, name: string, value: string) =>
  new AwsError('InvalidArgument', 400, message, { ArgumentName: name, ArgumentValue: value })

export const headerNotImplemented = (header: string) =>
  new AwsError('NotImplemented', 501, 'A header you provided implies functionality that is not implemented', {
    Header: header,
  })
