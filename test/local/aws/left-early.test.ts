import { once } from 'node:events'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { request, type IncomingMessage, type ServerResponse } from 'node:http'
import { test } from 'node:test'

import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'

import { listenOnLoopback } from '../../../local/aws/server.ts'
import { eventually } from '../../support/eventually.ts'
import { openTestAws } from './support.ts'

const descriptors = '/proc/self/fd'

/** Files of that directory that this process has open. */
const openFiles = (directory: string) =>
  readdirSync(descriptors).filter((name) => {
    try {
      const path = readlinkSync(`${descriptors}/${name}`)
      return path.startsWith(`${directory}/blobs/`) && /[0-9a-f]{32}$/.test(path)
    } catch {
      return false // closed meanwhile
    }
  })

test(
  'a client that has gone before its answer leaves no file open',
  { skip: !existsSync(descriptors) && 'only Linux lists what is open' },
  async (context) => {
    const { s3, aws, directory } = await openTestAws(context)
    const object = { Bucket: 'images', Key: 'scans/a' }
    await s3.send(new CreateBucketCommand({ Bucket: object.Bucket }))
    await s3.send(new PutObjectCommand({ ...object, Body: 'some bytes' }))
    const answered = Promise.withResolvers<undefined>()
    const hold = (message: IncomingMessage, response: ServerResponse) => {
      response.once('close', () => {
        aws.handle(message, response)
        answered.resolve(undefined)
      })
      message.socket.destroy()
    }
    const server = await listenOnLoopback(hold, 0)
    context.after(server.close)
    const signed = new URL(await getSignedUrl(s3, new GetObjectCommand(object)))
    const asked = request({ port: server.port, path: signed.pathname + signed.search, headers: { host: signed.host } })
    asked.end()
    await once(asked, 'error')
    await answered.promise
    // Whoever asks later is answered later.
    await s3.send(new GetObjectCommand(object)).then(({ Body }) => Body?.transformToString())
    await eventually(() => openFiles(directory).length === 0, 'the file to be closed')
  },
)
