import { Agent, type Dispatcher } from 'undici'

import { connectTimeoutMs, maxConnections } from './clients.ts'

/** What an AWS client has: its end is that of the connections too. */
type Client = { destroy: () => void }

/** Longer than most servers keep an idle connection: they close it, and one that was closed is not used again. */
const idleMs = 20_000

const open = () =>
  new Agent({
    connections: maxConnections,
    connect: { timeout: connectTimeoutMs },
    keepAliveTimeout: idleMs,
    allowH2: false,
  })

const openings = new WeakMap<Client, () => Dispatcher>()

/**
 * The connections that the hot calls of one client share, opened when first needed. Idle ones keep no process alive.
 * `client.destroy()` cuts them too; as with the client itself, a call after that opens new ones.
 */
export const connectionsOf = (client: Client): (() => Dispatcher) => {
  const known = openings.get(client)
  if (known) return known
  let agent: Agent | undefined
  const connections = () => (agent ??= open())
  const destroyClient = client.destroy.bind(client)
  client.destroy = () => {
    destroyClient()
    void agent?.destroy()
    agent = undefined
  }
  openings.set(client, connections)
  return connections
}
