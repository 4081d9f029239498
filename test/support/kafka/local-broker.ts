import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { TestBroker } from './broker.ts'
import { runBroker } from './broker-process.ts'
import { makeCertificates } from './certificates.ts'
import { formatStorage } from './format.ts'
import { findFreePorts } from './free-ports.ts'
import { fetchJars } from './jars.ts'
import { startProxy } from './proxy.ts'
import { serverProperties } from './server-properties.ts'

/** A broker process of the jars, with data and ports of its own. */
export const startLocalBroker = async (): Promise<TestBroker> => {
  const jars = await fetchJars()
  const directory = await mkdtemp(join(tmpdir(), 'test-broker-'))
  const data = join(directory, 'data')
  const [plain = 0, proxied = 0, sasl = 0, secure = 0, controller = 0] = await findFreePorts(5)
  const proxy = await startProxy(proxied)
  const certificates = await makeCertificates(directory)
  const ports = { plain, proxied, proxy: proxy.port, sasl, secure, controller }
  const properties = serverProperties({ data, ports, keystore: certificates?.keystore })
  await writeFile(join(directory, 'server.properties'), properties)
  await formatStorage(jars, data)
  let running = await runBroker(jars, directory)

  const address = (port: number) => `127.0.0.1:${port}`
  return {
    brokers: address(plain),
    faults: {
      kill: () => running.kill(),
      restart: async () => {
        running = await runBroker(jars, directory)
      },
      pause: () => running.pause(),
      resume: () => running.resume(),
    },
    proxied: { brokers: address(proxy.port), drop: proxy.drop },
    sasl: { brokers: address(sasl) },
    ...(certificates && { secure: { brokers: address(secure), ca: certificates.ca } }),
    stop: async () => {
      await running.stop()
      await proxy.close()
      await rm(directory, { recursive: true })
    },
  }
}
