import { hash } from 'node:crypto'

import type { S3Client } from '@aws-sdk/client-s3'

import { statusOf } from '../../shared/adapters/aws/failures.ts'
import { isPassing } from '../../shared/adapters/aws/attempts.ts'
import { signedCaller } from '../../shared/adapters/aws/signed-calls.ts'
import { SetupError } from '../../shared/ports/failures.ts'
import type { SendInvalidation } from './invalidator.ts'

/** CloudFront is one service for all regions, and signed for in this one. */
const region = 'us-east-1'
const api = '/2020-05-31/distribution/'

/** Refusals that time mends: earlier invalidations end, credentials are renewed. */
const passing = new Set(['TooManyInvalidationsInProgress', 'ExpiredToken', 'ExpiredTokenException'])

/**
 * Invalidations of one distribution, by the CloudFront API. `client` gives credentials, attempts and connections.
 * Source: Amazon CloudFront API Reference, CreateInvalidation (2020-05-31).
 */
export const cloudFront = (options: {
  client: S3Client
  distributionId: string
  /** Scheme and host, for a CloudFront that is not AWS's own. */
  endpoint: string
}): SendInvalidation => {
  const { client, distributionId, endpoint } = options
  const { origin, host } = new URL(endpoint)
  const path = `${api}${distributionId}/invalidation`
  const target = { origin, host, path, canonicalPath: path, region, service: 'cloudfront' }
  const call = signedCaller('S3', client, () => Promise.resolve(target))

  return async (paths, reference) => {
    const body = writeBatch(paths, reference)
    const headers = { 'content-type': 'application/xml' }
    try {
      await call({ method: 'POST', headers, payloadHash: hash('sha256', body), body, maxBytes: 1_048_576 })
    } catch (error) {
      throw explain(error, distributionId)
    }
  }
}

const explain = (error: unknown, distributionId: string): unknown => {
  if (!(error instanceof Error) || isPassing(error) || passing.has(error.name)) return error
  const said = `HTTP ${statusOf(error) ?? ''} ${error.name} ${error.message}`
  return new SetupError(`CloudFront refuses an invalidation of ${distributionId}: ${said}`, { cause: error })
}

/** Paths are those of our keys, which need no escaping. */
const writeBatch = (paths: readonly string[], reference: string) =>
  '<?xml version="1.0" encoding="UTF-8"?>' +
  '<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">' +
  `<CallerReference>${reference}</CallerReference>` +
  `<Paths><Items>${paths.map((one) => `<Path>${one}</Path>`).join('')}</Items><Quantity>${paths.length}</Quantity></Paths>` +
  '</InvalidationBatch>'
