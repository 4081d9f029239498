import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

/** A TCP proxy on a port of 127.0.0.1 that can cut its connections. */
export const startProxy = async (targetPort: number) => {
  const open = new Set<Socket>()
  const track = (socket: Socket, other: () => Socket) => {
    open.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      open.delete(socket)
      other().destroy()
    })
  }
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1')
    track(client, () => target)
    track(target, () => client)
    client.pipe(target).pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A TCP server's address is an object.
  const { port } = server.address() as AddressInfo
  /** Resets all connections; new ones are welcome. */
  const drop = () => open.forEach((socket) => socket.resetAndDestroy())
  const close = async () => {
    drop()
    server.close()
    await once(server, 'close')
  }
  return { port, drop, close }
}

export type Proxy = Awaited<ReturnType<typeof startProxy>>
