import { z } from 'zod'

import { awsVariables } from '#shared/adapters/aws/clients.ts'
import { corsVariables, placeVariables } from '#shared/adapters/variables.ts'
import { variable } from '#shared/runtime/config.ts'

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

/** What `npm run trace` reads, unless it finds a local system. */
export const traceVariables = {
  ...awsVariables,
  S3_BUCKET: placeVariables.S3_BUCKET,
  STATE_BUCKET: placeVariables.STATE_BUCKET,
}
