import { z } from 'zod'

import type { ReadImageUploaded } from './events.ts'
import { given } from './given.ts'

/** What the vision pipeline is asked to do: one message of the jobs queue. */
export const visionJobSchema = z
  .object({
    job_id: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .describe('The same in every repeat: deduplicate by it.'),
    image_url: z.url().describe('Where the CDN shows the image.'),
    bucket: z.string(),
    key: z.string(),
    etag: z.string().describe('Without quotes. The job is about this state of the object alone.'),
    version_id: z.string().optional().describe('Absent in a bucket without versions.'),
    user_id: z.string(),
    content_type: z.string(),
    size: z.int().positive().describe('In bytes.'),
    width: z.int().positive().describe('In pixels, as stored; orientation says how to turn them.'),
    height: z.int().positive().describe('In pixels, as stored.'),
    orientation: z.int().min(1).max(8).optional().describe('EXIF orientation.'),
    requested_at: z.iso.datetime(),
    event_id: z.string().describe('Of the image.uploaded that asked for the job.'),
    traceparent: z.string().optional().describe('W3C trace context of the upload, when it is known.'),
  })
  .describe('One message of the jobs queue: an image to be analyzed.')

export type VisionJob = z.infer<typeof visionJobSchema>

/** The job of an accepted image, under its derived id. */
export const planJob = (event: ReadImageUploaded, { jobId }: { jobId: string }, now: Date): VisionJob => {
  const image = event.data
  return {
    job_id: jobId,
    image_url: image.cdn_url,
    bucket: image.bucket,
    key: image.key,
    etag: image.etag,
    user_id: image.user_id,
    content_type: image.content_type,
    size: image.size,
    width: image.width,
    height: image.height,
    requested_at: now.toISOString(),
    event_id: event.id,
    ...given({ version_id: image.version_id, orientation: image.orientation, traceparent: event.traceparent }),
  }
}
