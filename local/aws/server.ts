import { mkdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { openBlobs } from './blobs.ts'
import { answerControl, controlMount } from './control.ts'
import { openDatabase } from './database.ts'
import { AwsError } from './errors.ts'
import { parseRequest } from './http.ts'
import type { S3Answer } from './s3/answer.ts'
import { openBuckets } from './s3/buckets.ts'
import { type OpenedObject, openObject } from './s3/get-object.ts'
import { describeFaults, type FaultSettings, openFaults, parseFaults } from './s3/notification-faults.ts'
import { openObjects } from './s3/objects.ts'
import { openOperations } from './s3/operations.ts'
import { answerS3 } from './s3/router.ts'
import { runLifecycle } from './s3/run-lifecycle.ts'
import type { Credentials } from './sigv4.ts'
import { answerSqs, isSqsRequest } from './sqs/router.ts'
import { openSqs } from './sqs/service.ts'

export type LocalAwsOptions = {
  /** Holds aws.sqlite and blobs/; one process at a time. */
  directory: string
  region: string
  credentials: Credentials
  /** Milliseconds since 1970. */
  now?: () => number
  /** How notifications arrive from the start; all well when not said. `POST /_local/notifications` changes it. */
  notificationFaults?: Partial<FaultSettings>
}
export type LocalAws = {
  /** Answers S3 (path style), SQS (JSON protocol) and /_local/ on one port. */
  handle: (request: IncomingMessage, response: ServerResponse) => void
  /** Reads an object past the API, for a stand-in of the CDN. */
  readObject: (bucket: string, key: string) => Promise<OpenedObject | undefined>
  /** Applies the stored lifecycle rules as they stand at a moment; gives how many objects and versions were taken. */
  runLifecycle: (atMs: number) => Promise<number>
  close: () => void
}

/** S3 and SQS for one machine. What is acknowledged is on disk; a kill at any point loses nothing of it. */
export const openLocalAws = (options: LocalAwsOptions): LocalAws => {
  const { directory, region, credentials, now = Date.now, notificationFaults = {} } = options
  const faults = openFaults(parseFaults(describeFaults(notificationFaults)))
  mkdirSync(directory, { recursive: true })
  const blobs = openBlobs(join(directory, 'blobs'))
  const database = openDatabase(join(directory, 'aws.sqlite'))
  const sqs = openSqs(database, region, now)
  const buckets = openBuckets(database, now)
  const objects = openObjects({ database, blobs, buckets, sqs, faults }, region, now)
  const rules = { region, credentials, now }
  const s3 = { operations: openOperations({ database, blobs, buckets, objects, sqs }, region, now), buckets, rules }
  const control = { faults, now, runLifecycle: (atMs: number) => runLifecycle({ buckets, objects }, atMs) }

  const answer = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = parseRequest(message)
    if (request.path.startsWith(controlMount)) return send(response, await answerControl(request, control))
    if (!isSqsRequest(request)) return send(response, await answerS3(request, s3))
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    return send(response, await answerSqs(request, sqs.calls, rules, gone.signal))
  }
  return {
    handle: (request, response) => {
      answer(request, response).catch((error: unknown) => refuse(response, error))
    },
    readObject: openObject(objects),
    runLifecycle: control.runLifecycle,
    close: () => {
      database.close()
      blobs.close()
    },
  }
}

/** Serves on 127.0.0.1 alone; port 0 takes a free one. Rejects when the port is taken. */
export const listenOnLoopback = async (
  handle: RequestListener,
  port: number,
): Promise<{ url: string; port: number; close: () => Promise<void> }> => {
  // Longer than the idle time of the usual clients' pools, so that a client seldom meets a connection just closed.
  const server = createServer({ keepAliveTimeout: 65_000 }, handle)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  const taken = typeof address === 'object' && address ? address.port : port
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { url: `http://127.0.0.1:${taken}`, port: taken, close }
}

const send = async (response: ServerResponse, { status, headers, body }: S3Answer): Promise<void> => {
  response.writeHead(status, headers)
  if (body instanceof Readable) await sendStream(body, response)
  else response.end(body)
}

/** A reader who has gone before his answer began is not piped to, and the file must be closed all the same. */
const sendStream = async (body: Readable, response: ServerResponse) => {
  try {
    await pipeline(body, response)
  } finally {
    body.destroy()
  }
}

/** Neither side of a connection that broke can be told; what else comes here is a fault of ours or of the disk. */
const refuse = (response: ServerResponse, error: unknown): void => {
  if (response.headersSent || response.destroyed) return void response.destroy()
  const status = error instanceof AwsError ? error.status : 500
  const code = error instanceof AwsError ? error.code : 'InternalError'
  response.writeHead(status, { 'content-type': 'application/xml' })
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${status === 500 ? 'We encountered an internal error. Please try again.' : 'The request could not be read.'}</Message></Error>`,
  )
}
