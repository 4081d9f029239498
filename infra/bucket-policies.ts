import { purposePrefixes } from '../shared/domain/resources.ts'
import { policy, type Policy, type Statement } from './statements.ts'

export type ImagePolicyFacts = {
  bucketArn: string
  /** Of the API, in whose name tickets are signed. */
  apiRoleArn: string
  ticketSeconds: number
  distributionArn: string
}

/**
 * What tickets promise, demanded again by the bucket of whoever puts into a purpose prefix. Exact length, type and
 * SHA-256 stand in the signature alone: no policy can see them.
 * Sources: Amazon S3 User Guide, "Bucket policy examples using condition keys", "Enforce conditional writes on Amazon S3
 * buckets"; S3 API Reference, "Amazon S3 Signature Version 4 Authentication Specific Policy Keys".
 */
export const imagePolicy = (facts: ImagePolicyFacts): Policy => {
  const images = purposePrefixes.map((prefix) => `${facts.bucketArn}/${prefix}*`)
  const denyPut = (Sid: string, Condition: NonNullable<Statement['Condition']>): Statement => ({
    Sid,
    Effect: 'Deny',
    Principal: '*',
    Action: ['s3:PutObject'],
    Resource: images,
    Condition,
  })
  return policy(
    ...onlyEncrypted(facts.bucketArn),
    denyPut('OnlyTheApiPuts', { StringNotEquals: { 'aws:PrincipalArn': facts.apiRoleArn } }),
    denyPut('OnlyByTicket', { StringNotEquals: { 's3:authType': 'REST-QUERY-STRING' } }),
    // In milliseconds.
    denyPut('OnlyWhileTheTicketLives', {
      NumericGreaterThan: { 's3:signatureAge': String(facts.ticketSeconds * 1000) },
    }),
    // Parts of a multipart upload carry no condition either: a ticket is for one PUT.
    denyPut('OnlyCreates', { Null: { 's3:if-none-match': 'true' } }),
    {
      Sid: 'TheCdnReads',
      Effect: 'Allow',
      Principal: { Service: 'cloudfront.amazonaws.com' },
      Action: ['s3:GetObject'],
      Resource: images,
      Condition: { StringEquals: { 'aws:SourceArn': facts.distributionArn } },
    },
  )
}

/** For a bucket of which nobody from outside may know. */
export const privatePolicy = (bucketArn: string): Policy => policy(...onlyEncrypted(bucketArn))

const onlyEncrypted = (bucketArn: string): Statement[] => {
  const deny = (Sid: string, Condition: NonNullable<Statement['Condition']>): Statement => ({
    Sid,
    Effect: 'Deny',
    Principal: '*',
    Action: ['s3:*'],
    Resource: [bucketArn, `${bucketArn}/*`],
    Condition,
  })
  return [
    deny('OnlyEncrypted', { Bool: { 'aws:SecureTransport': 'false' } }),
    deny('OnlyNewTls', { NumericLessThan: { 's3:TlsVersion': '1.2' } }),
  ]
}
