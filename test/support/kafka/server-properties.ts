export type BrokerPorts = {
  plain: number
  /** Advertised as the proxy's port, so clients that begin there stay behind the proxy. */
  proxied: number
  proxy: number
  sasl: number
  /** SASL over TLS. */
  secure: number
  controller: number
}

/** Users that the listeners `sasl` and `secure` know. */
export const plainUser = { username: 'app', password: 'app-secret' }
export const scramUser = { username: 'scram', password: 'scram-secret' }

const module = 'org.apache.kafka.common.security'
const { username, password } = plainUser
const plainJaas = `${module}.plain.PlainLoginModule required user_${username}="${password}";`
const scramJaas = `${module}.scram.ScramLoginModule required;`

/** One node that is broker and controller, small and quick to start and to forget a killed predecessor. */
export const serverProperties = (options: {
  data: string
  ports: BrokerPorts
  keystore: string | undefined
  bindAddress?: string
}) => {
  const { data, ports, keystore, bindAddress = '127.0.0.1' } = options
  const listeners = (host: string, proxied: number) => [
    `PLAIN://${host}:${ports.plain}`,
    `SASL://${host}:${ports.sasl}`,
    `PROXIED://${host}:${proxied}`,
    ...(keystore ? [`SECURE://${host}:${ports.secure}`] : []),
  ]
  const lines: Record<string, string | number | boolean> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    listeners: [...listeners(bindAddress, ports.proxied), `CONTROLLER://127.0.0.1:${ports.controller}`].join(),
    'advertised.listeners': listeners('127.0.0.1', ports.proxy).join(),
    'listener.security.protocol.map':
      'PLAIN:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,SECURE:SASL_SSL',
    'inter.broker.listener.name': 'PLAIN',
    'controller.listener.names': 'CONTROLLER',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256',
    'log.dirs': data,
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1_000,
    'log.retention.check.interval.ms': 1_000,
    'log.segment.delete.delay.ms': 1_000,
    'log.cleaner.dedupe.buffer.size': 2_097_152,
    'log.index.size.max.bytes': 262_144,
    'num.network.threads': 2,
    'num.io.threads': 4,
    // A killed broker's restart is refused until its session has run out.
    'broker.session.timeout.ms': 1_000,
    'broker.heartbeat.interval.ms': 250,
  }
  for (const name of ['sasl', 'secure']) {
    lines[`listener.name.${name}.plain.sasl.jaas.config`] = plainJaas
    lines[`listener.name.${name}.scram-sha-256.sasl.jaas.config`] = scramJaas
  }
  if (keystore) Object.assign(lines, { 'ssl.keystore.type': 'PEM', 'ssl.keystore.location': keystore })
  return Object.entries(lines)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}
