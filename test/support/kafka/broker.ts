import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { canRunJars } from './jars.ts'
import { startLocalBroker } from './local-broker.ts'

/** A real Kafka broker for tests. What the place where it runs can't give is absent. */
export type TestBroker = {
  /** As KAFKA_BROKERS takes it; without TLS and passwords. */
  brokers: string
  faults?: {
    /** SIGKILL; the data stay. */
    kill: () => Promise<void>
    /** After `kill`: on the same data and ports; resolves when it is there. */
    restart: () => Promise<void>
    pause: () => void | Promise<void>
    resume: () => void | Promise<void>
  }
  /** Behind a TCP proxy whose connections can be cut. */
  proxied?: { brokers: string; drop: () => void }
  /** SASL without TLS: plain and scram-sha-256, for the users of server-properties.ts. */
  sasl?: { brokers: string }
  /** The same over TLS; `ca` is PEM. */
  secure?: { brokers: string; ca: string }
  stop: () => Promise<void>
}

type Place = {
  canStart: () => boolean | Promise<boolean>
  start: () => Promise<TestBroker>
  /** It gives faults, SASL and TLS too, so that no test is left out: what KAFKA_TESTS=required asks for. */
  isWhole?: boolean
}

const places: readonly Place[] = [
  {
    canStart: () => Boolean(process.env['KAFKA_BROKERS']),
    start: () => Promise.resolve({ brokers: process.env['KAFKA_BROKERS'] ?? '', stop: () => Promise.resolve() }),
  },
  {
    canStart: async () => (await import('./container-broker.ts')).canUseDocker(),
    start: async () => (await import('./container-broker.ts')).startContainerBroker(),
  },
  { canStart: canRunJars, start: startLocalBroker, isWhole: true },
]

const advice =
  'The Kafka tests are skipped: set KAFKA_BROKERS, start a Docker engine, or install Java 17 or newer and Maven.'

/**
 * The first broker that can be had: the one that KAFKA_BROKERS names, a container, a process of Maven's jars.
 * @returns undefined where there is none; then one line has been printed that says how to get one
 */
export const startTestBroker = async (): Promise<TestBroker | undefined> => {
  const isRequired = process.env['KAFKA_TESTS'] === 'required'
  for (const { canStart, start, isWhole = false } of places) {
    if ((isWhole || !isRequired) && (await canStart())) return start()
  }
  if (isRequired) throw new Error('KAFKA_TESTS=required needs a broker of the jars: install Java 17 or newer and Maven')
  tellOnce()
  return undefined
}

/** The test runner starts a process for each file: the first one of a run speaks for all. */
const tellOnce = () => {
  try {
    writeFileSync(join(tmpdir(), `kafka-tests-skipped-${process.ppid}`), '', { flag: 'wx' })
    process.stdout.write(`${advice}\n`)
  } catch {
    // It has been told.
  }
}
