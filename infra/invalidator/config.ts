import { z } from 'zod'

import { urlSchema, variable, wholeNumber } from '../../shared/runtime/config.ts'

export const invalidatorVariables = {
  CDN_DISTRIBUTION_ID: variable(
    'Distribution of CloudFront that shows the images; an output of the stack.',
    'E2EXAMPLE1234',
    z.string().regex(/^[A-Z0-9]+$/, { error: 'is not the id of a distribution' }),
  ),
  INVALIDATIONS_PER_MONTH: variable(
    'Most paths that are paid for in 31 days; the first 1000 of an account are free.',
    '1000',
    wholeNumber({ min: 20, max: 10_000_000 }).default(1000),
  ),
  AWS_ENDPOINT_URL_CLOUDFRONT: variable(
    'Where CloudFront answers, if not on AWS.',
    'http://127.0.0.1:4570',
    urlSchema.default('https://cloudfront.amazonaws.com'),
  ),
}
