import { z } from 'zod'

import { isOrigin } from '#shared/domain/origins.ts'
import { listSchema, portSchema, urlSchema, variable } from '#shared/runtime/config.ts'

const name = z.string().min(3)

/** Variables that more than one service reads, apart from those of AWS and of the event log. */
export const placeVariables = {
  S3_BUCKET: variable('Bucket of the images.', 'my-images', name),
  STATE_BUCKET: variable('Private bucket of verdicts and jobs.', 'my-images-state', name),
  CDN_BASE_URL: variable('Where images are seen: key and a slash are appended.', 'https://cdn.example.com', urlSchema),
}

/** Jobs that were read here would be taken for notifications that can't be read. */
const standardQueueSchema = urlSchema.refine((url) => !url.endsWith('.fifo'), {
  error: 'names a FIFO queue (its name ends in .fifo), as the jobs queue is one',
})

/** The queues of notifications, and of those that can't be read. */
export const notificationQueueVariables = {
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
}

/** Each service has a default port of its own, so that all run on one machine. */
export const healthVariables = (defaultPort: number) => ({
  HOST: variable('Address that the servers listen on.', '0.0.0.0', z.string().min(1).default('127.0.0.1')),
  HEALTH_PORT: variable(
    'Port of health and metrics; 0 lets the system choose.',
    String(defaultPort),
    portSchema.default(defaultPort),
  ),
})

export const corsVariables = {
  CORS_ORIGINS: variable(
    'Origins whose pages may call the API and upload, separated by commas.',
    'https://app.example.com,https://www.example.com',
    listSchema
      .refine((origins) => origins.every(isOrigin), {
        error: 'holds something that is not an origin (scheme, host and port, without a path)',
      })
      .default([]),
  ),
}
