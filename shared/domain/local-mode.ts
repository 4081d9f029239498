import { z } from 'zod'

/**
 * The secret that signs the tokens of local mode (`npm start`, `npm run token`). It stands in public source, so an API
 * outside local mode refuses to run with it.
 */
export const localJwtSecret = 'image-intake-local-mode-only-never-deploy-this-secret'

/** `$DATA_DIR/local.json`: what tools need to know of a running local system. */
export const localSystemSchema = z.object({
  pid: z.int(),
  api_url: z.url(),
  aws_url: z.url(),
  region: z.string(),
  access_key_id: z.string(),
  secret_access_key: z.string(),
  bucket: z.string(),
  state_bucket: z.string(),
  uploads_queue_url: z.url(),
  quarantine_queue_url: z.url(),
  jobs_queue_url: z.url(),
  cdn_base_url: z.url(),
  /** `sqlite:PATH`, or `kafka:` and the brokers. */
  event_log: z.string(),
})

export type LocalSystem = z.infer<typeof localSystemSchema>

export const localFileName = 'local.json'
