import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, test } from 'node:test'

import { openS3 } from '#shared/adapters/aws/clients.ts'
import { s3ObjectStore } from '#shared/adapters/s3/object-store.ts'
import { OutageError } from '#shared/ports/failures.ts'
import { listen } from '#shared/runtime/listen.ts'

/** Answers nothing, or begins an answer and never ends it. */
const silences: Record<string, string | undefined> = { 'says nothing': undefined, 'stalls in its body': 'a beginning' }

for (const [what, beginning] of Object.entries(silences)) {
  test(`a store that accepts a connection and ${what} is an outage`, { timeout: 30_000 }, async () => {
    const server = createServer((_, response) => {
      if (beginning === undefined) return
      response.writeHead(206, { 'content-length': 1000, 'content-range': 'bytes 0-999/1000', etag: '"e"' })
      response.write(beginning)
    })
    after(() => server.closeAllConnections())
    after(() => server.close())
    const { port } = await listen(server, '127.0.0.1', 0, 'PORT')
    const config = {
      AWS_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`,
      AWS_ENDPOINT_URL_SQS: undefined,
      S3_FORCE_PATH_STYLE: true,
      AWS_ACCESS_KEY_ID: 'a',
      AWS_SECRET_ACCESS_KEY: 'b',
      AWS_SESSION_TOKEN: undefined,
    }
    const store = s3ObjectStore({ client: openS3(config), bucket: 'images' })
    await assert.rejects(store.readStart('key', 1000), OutageError)
  })
}
