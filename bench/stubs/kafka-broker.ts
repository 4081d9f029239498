import { createServer, type Socket } from 'node:net'

import type { TopicSpec } from '#shared/domain/resources.ts'
import { listen } from '#shared/runtime/listen.ts'

import { array, int16, int32, int64, int8, readerOf, string, type Reader } from './kafka-protocol.ts'

/** What a broker was given, in records and in requests. */
export type Produced = { records: number; requests: number }

type Broker = { port: number; topics: ReadonlyMap<string, TopicSpec>; ends: Map<string, number>; produced: Produced }
type Request = { version: number; body: Reader }
type Api = { key: number; from: number; to: number; answer: (broker: Broker, request: Request) => Buffer }

/**
 * As much of a Kafka broker as producers and their checks of topics need: it reads all that they send, keeps nothing but
 * counts, and answers at once. For benches of what stands before it.
 * Source: Apache Kafka, "Protocol".
 */
export const openKafkaBroker = async (specs: readonly TopicSpec[]) => {
  const produced: Produced = { records: 0, requests: 0 }
  const topics = new Map(specs.map((spec) => [spec.name, spec]))
  const broker: Broker = { port: 0, topics, ends: new Map(), produced }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(socket, broker)
  })
  broker.port = (await listen(server, '127.0.0.1', 0, 'KAFKA_BROKERS')).port
  const close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { address: `127.0.0.1:${broker.port}`, produced, close }
}

const serve = (socket: Socket, broker: Broker) => {
  let received: Buffer = Buffer.alloc(0)
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
      const end = 4 + received.readInt32BE(0)
      socket.write(answerRequest(broker, received.subarray(4, end)))
      received = received.subarray(end)
    }
  })
}

const answerRequest = (broker: Broker, bytes: Buffer) => {
  const body = readerOf(bytes)
  const [key, version, correlation] = [body.int16(), body.int16(), body.int32()]
  body.string()
  const api = apis.find((one) => one.key === key)
  if (!api || version > api.to) throw new Error(`this broker has no request ${key} of version ${version}`)
  const answer = api.answer(broker, { version, body })
  return Buffer.concat([int32(4 + answer.length), int32(correlation), answer])
}

const [noError, unknownTopic, nodeId] = [0, 3, 1]
const noThrottle = int32(0)

const answerVersions: Api['answer'] = (_, { version }) => {
  const list = array(apis, ({ key, from, to }) => Buffer.concat([int16(key), int16(from), int16(to)]))
  return Buffer.concat([int16(noError), list, ...(version > 0 ? [noThrottle] : [])])
}

const answerMetadata: Api['answer'] = ({ port, topics }, { body }) => {
  const names = body.array(body.string) ?? [...topics.keys()]
  const rack = string('')
  return Buffer.concat([
    noThrottle,
    array([port], () => Buffer.concat([int32(nodeId), string('127.0.0.1'), int32(port), rack])),
    string('bench'),
    int32(nodeId),
    array(names, (name) => writeTopic(name, topics.get(name))),
  ])
}

const writeTopic = (name: string, spec: TopicSpec | undefined) => {
  const partitions = Array.from({ length: spec?.partitions ?? 0 }, (_, index) => index)
  const nodes = array([nodeId], int32)
  const writePartition = (index: number) =>
    Buffer.concat([int16(noError), int32(index), int32(nodeId), nodes, nodes, array([], int32)])
  return Buffer.concat([int16(spec ? noError : unknownTopic), string(name), int8(0), array(partitions, writePartition)])
}

const answerConfigs: Api['answer'] = ({ topics }, { body }) => {
  const readResource = () => {
    const [type, name] = [body.int8(), body.string()]
    body.array(body.string)
    return { type, name }
  }
  const resources = body.array(readResource) ?? []
  return Buffer.concat([
    noThrottle,
    array(resources, ({ type, name }) => {
      const settings = settingsOf(topics.get(name))
      return Buffer.concat([int16(noError), string(''), int8(type), string(name), array(settings, writeSetting)])
    }),
  ])
}

const settingsOf = (spec: TopicSpec | undefined): [string, string][] => [
  ['retention.ms', String((spec?.retentionDays ?? 0) * 86_400_000)],
  ['min.insync.replicas', '1'],
]

const writeSetting = ([name, value]: [string, string]) =>
  Buffer.concat([string(name), string(value), int8(0), int8(0), int8(0)])

/** Where a record batch tells how many records it has. */
const countAt = 57

const answerProduce: Api['answer'] = ({ ends, produced }, { body }) => {
  produced.requests++
  body.string()
  body.int16()
  body.int32()
  const readPartition = () => ({ index: body.int32(), batch: body.bytes() })
  const readTopic = () => ({ name: body.string(), partitions: body.array(readPartition) ?? [] })
  const append = (name: string, { index, batch }: ReturnType<typeof readPartition>) => {
    const count = batch.readInt32BE(countAt)
    const partition = `${name} ${index}`
    const base = ends.get(partition) ?? 0
    ends.set(partition, base + count)
    produced.records += count
    return Buffer.concat([int32(index), int16(noError), int64(base), int64(-1), int64(0)])
  }
  const appended = array(body.array(readTopic) ?? [], ({ name, partitions }) =>
    Buffer.concat([string(name), array(partitions, (partition) => append(name, partition))]),
  )
  return Buffer.concat([appended, noThrottle])
}

/** Produce is read from version 3 on and answered as of version 5, metadata as of version 5: kafkajs asks for the newest. */
const apis: readonly Api[] = [
  { key: 0, from: 3, to: 7, answer: answerProduce },
  { key: 3, from: 5, to: 6, answer: answerMetadata },
  { key: 18, from: 0, to: 2, answer: answerVersions },
  { key: 32, from: 0, to: 0, answer: answerConfigs },
]
