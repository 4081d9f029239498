import { z } from 'zod'

import { urlSchema, variable } from '#shared/runtime/config.ts'

export const dispatcherVariables = {
  JOBS_QUEUE_URL: variable(
    'FIFO queue of the vision jobs.',
    'https://sqs.eu-central-1.amazonaws.com/123456789012/vision-analysis-jobs.fifo',
    urlSchema.refine((url) => url.endsWith('.fifo'), { error: 'does not name a FIFO queue (its name ends in .fifo)' }),
  ),
  KAFKA_GROUP_ID: variable(
    "Group under which the dispatcher's position in the log is kept.",
    'scan-dispatcher',
    z.string().min(1).default('scan-dispatcher'),
  ),
}
