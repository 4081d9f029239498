import { createServer } from 'node:http'

import { openLog } from '#shared/runtime/log.ts'
import { lifetime } from '#shared/runtime/lifetime.ts'
import { listen } from '#shared/runtime/listen.ts'

import { api } from '../services/api/main.ts'
import { publicKeySchema } from '../services/api/public-key.ts'
import { servePlainTickets } from './baselines/ticket-api.ts'

/** One side of the bench, in a process of its own: it says where it listens, and how much CPU it has used when asked. */
const [kind = '', body = ''] = process.argv.slice(2)

const variable = (name: string) => process.env[name] ?? ''

const openOurs = async () => {
  const log = openLog({ name: 'api' })
  return api(process.env)({ log, life: lifetime({ graceMs: 1_000 }) })
}

const openPlain = () =>
  servePlainTickets({
    publicKey: publicKeySchema.parse(variable('JWT_PUBLIC_KEY')).key,
    bucket: variable('S3_BUCKET'),
    region: variable('AWS_REGION'),
    endpoint: variable('AWS_ENDPOINT_URL_S3'),
    credentials: { accessKeyId: variable('AWS_ACCESS_KEY_ID'), secretAccessKey: variable('AWS_SECRET_ACCESS_KEY') },
  })

/** What node:http can do at best: it reads the request and answers a fixed body of a ticket's size. */
const openBare = async () => {
  const server = createServer((request, response) => {
    request.resume()
    request.once('end', () => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length })
      response.end(body)
    })
  })
  const { port } = await listen(server, '127.0.0.1', 0, 'PORT')
  return { url: `http://127.0.0.1:${port}` }
}

const open = { ours: openOurs, plain: openPlain, bare: openBare }[kind]
if (!open) throw new Error(`there is no such side: ${kind}`)
const { url } = await open()
process.send?.({ url })
process.on('message', () => process.send?.({ cpu: process.cpuUsage(), memory: process.memoryUsage() }))
process.on('disconnect', () => process.exit(0))
