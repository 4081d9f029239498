import { GenericContainer, ImageName, Wait, getContainerRuntimeClient } from 'testcontainers'

import type { TestBroker } from './broker.ts'
import { findFreePorts } from './free-ports.ts'
import { startProxy } from './proxy.ts'
import { serverProperties } from './server-properties.ts'

const image = 'apache/kafka:4.3.1'
const reaper = 'testcontainers/ryuk'

const hasImage = async (name: (tag: string) => boolean): Promise<boolean> => {
  const { container } = await getContainerRuntimeClient()
  const images = await container.dockerode.listImages()
  return images.some(({ RepoTags }) => RepoTags?.some(name))
}

export const canUseDocker = async (): Promise<boolean> => {
  try {
    await getContainerRuntimeClient()
    return true
  } catch {
    return false
  }
}

/** How the image takes a property: https://github.com/apache/kafka/blob/trunk/docker/examples/README.md */
const asVariable = (name: string) =>
  `KAFKA_${name.replaceAll('_', '__').replaceAll('-', '___').replaceAll('.', '_').toUpperCase()}`

/** Fixed ports, since a broker advertises them before it runs. */
export const startContainerBroker = async (name?: string): Promise<TestBroker> => {
  // The reaper removes what a killed test run leaves; where its image can't be had, the tests go without.
  if (!(await hasImage((tag) => tag.includes(reaper)))) process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true'
  const [plain = 0, proxied = 0, sasl = 0, secure = 0, controller = 0] = await findFreePorts(5)
  const proxy = await startProxy(proxied)
  const ports = { plain, proxied, proxy: proxy.port, sasl, secure, controller }
  const lines = serverProperties({ data: '/tmp/kafka-data', ports, keystore: undefined, bindAddress: '0.0.0.0' })
  const variables = lines.split('\n').flatMap((line): [string, string][] => {
    const at = line.indexOf('=')
    return at > 0 ? [[asVariable(line.slice(0, at)), line.slice(at + 1)]] : []
  })
  const broker = new GenericContainer(ImageName.fromString(image).string)
  if (name !== undefined) broker.withName(name)
  const container = await broker
    .withEnvironment(Object.fromEntries(variables))
    // Written at every start, whatever the image's files there allow.
    .withTmpFs({ '/opt/kafka/config': 'rw,uid=1000,gid=1000' })
    .withExposedPorts(...[plain, proxied, sasl].map((port) => ({ container: port, host: port })))
    .withWaitStrategy(Wait.forLogMessage('Kafka Server started'))
    .start()
  const { container: runtime } = await getContainerRuntimeClient()
  const raw = runtime.getById(container.getId())
  const address = (port: number) => `${container.getHost()}:${port}`
  return {
    brokers: address(plain),
    faults: {
      kill: () => raw.kill(),
      restart: () => raw.start(),
      pause: () => raw.pause(),
      resume: () => raw.unpause(),
    },
    proxied: { brokers: address(proxy.port), drop: proxy.drop },
    sasl: { brokers: address(sasl) },
    stop: async () => {
      await container.stop()
      await proxy.close()
    },
  }
}
