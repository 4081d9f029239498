import { z } from 'zod'

import { awsVariables } from '#shared/adapters/aws/clients.ts'
import { corsVariables, placeVariables } from '#shared/adapters/variables.ts'
import { urlSchema, variable } from '#shared/runtime/config.ts'

/** What `npm run provision` reads. */
export const provisionVariables = {
  ...awsVariables,
  S3_BUCKET: placeVariables.S3_BUCKET,
  STATE_BUCKET: placeVariables.STATE_BUCKET,
  ...corsVariables,
}

/** What the tools that look at a running local system read. */
export const toolVariables = {
  DATA_DIR: variable('Directory of a local system.', '.data', z.string().default('.data')),
}

/** As the upload-watcher reads it. */
export const uploadsQueueVariable = variable(
  "Queue of the bucket's notifications.",
  'https://sqs.eu-central-1.amazonaws.com/123456789012/image-uploads',
  urlSchema.refine((url) => !url.endsWith('.fifo'), {
    error: 'names a FIFO queue (its name ends in .fifo), as the jobs queue is one',
  }),
)
