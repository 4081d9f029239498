import { z } from 'zod'

import { corsVariables } from '#shared/adapters/variables.ts'
import { listSchema, portSchema, variable } from '#shared/runtime/config.ts'

/** What `npm start` reads. */
export const localVariables = {
  PORT: variable('Port of the API; 0 lets the system choose.', '3000', portSchema.default(3000)),
  AWS_PORT: variable('Port of the local S3, SQS and CDN; 0 lets the system choose.', '4566', portSchema.default(4566)),
  DATA_DIR: variable('Directory of everything that is kept; made when absent.', '.data', z.string().default('.data')),
  KAFKA_BROKERS: variable(
    'Brokers of an event log on Kafka; without them it is a file in DATA_DIR.',
    'localhost:9092',
    listSchema.optional(),
  ),
  ...corsVariables,
}
