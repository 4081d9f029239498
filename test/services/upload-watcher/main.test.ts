import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ConfigError } from '#shared/runtime/config.ts'
import { lifetime } from '#shared/runtime/lifetime.ts'
import { uploadWatcher } from '../../../services/upload-watcher/main.ts'
import { withEventLogFile } from '../../support/event-log-file.ts'
import { openLines } from './world.ts'

test('a watcher whose quarantine is its own uploads queue does not start', () =>
  withEventLogFile(async ({ path }) => {
    const environment = {
      AWS_REGION: 'eu-central-1',
      S3_BUCKET: 'my-images',
      STATE_BUCKET: 'my-state',
      CDN_BASE_URL: 'https://cdn.example.com',
      UPLOADS_QUEUE_URL: 'http://127.0.0.1:1/uploads',
      QUARANTINE_QUEUE_URL: 'http://127.0.0.1:1/uploads',
      EVENT_LOG: `sqlite:${path}`,
      HEALTH_PORT: '0',
    }
    const life = lifetime({ graceMs: 0 })
    life.end('the test needs none of its parts')
    await assert.rejects(uploadWatcher(environment)({ log: openLines().log, life }), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, /^QUARANTINE_QUEUE_URL is the same as UPLOADS_QUEUE_URL/)
      return true
    })
  }))
