import { z } from 'zod'

import { urlSchema, variable, wholeNumber } from '#shared/runtime/config.ts'

/** Jobs that were read here would be taken for notifications that can't be read. */
const standardQueueSchema = urlSchema.refine((url) => !url.endsWith('.fifo'), {
  error: 'names a FIFO queue (its name ends in .fifo), as the jobs queue is one',
})

export const watcherVariables = {
  UPLOADS_QUEUE_URL: variable(
    "Queue of the bucket's notifications.",
    'https://sqs.eu-central-1.amazonaws.com/123456789012/image-uploads',
    standardQueueSchema,
  ),
  QUARANTINE_QUEUE_URL: variable(
    'Queue for what cannot be read.',
    'https://sqs.eu-central-1.amazonaws.com/123456789012/image-quarantine',
    standardQueueSchema,
  ),
  BUCKET_ACCOUNT: variable(
    "Account that the images' bucket belongs to. When set, what a notification tells of another account is put aside.",
    '123456789012',
    z
      .string()
      .regex(/^\d{12}$/, { error: 'is not an account of 12 digits' })
      .optional(),
  ),
  REJECTED_ACTION: variable(
    'What becomes of an object that was rejected: keep or delete. Its verdict is kept in any case.',
    'delete',
    z.enum(['keep', 'delete'], { error: 'is neither keep nor delete' }).default('keep'),
  ),
  UPLOADS_VISIBILITY_SECONDS: variable(
    'How long a message in hand stays hidden; renewed every third of it. After a crash it comes back so late.',
    '30',
    wholeNumber({ min: 2, max: 3600 }).default(30),
  ),
}
