import { connect, type Socket } from 'node:net'

export type Load = { count: number; latenciesMs: number[] }

/**
 * Sends one request over and over on several connections, each the next when the last was answered, until `seconds` have
 * passed. Over plain sockets: the load must cost less than what it measures.
 * @throws when an answer is not 200
 */
export const loadServer = async (
  url: string,
  request: string,
  { connections, seconds }: { connections: number; seconds: number },
): Promise<Load> => {
  const { hostname, port } = new URL(url)
  const ends = performance.now() + seconds * 1000
  const loads = Array.from({ length: connections }, () =>
    loadConnection(connect(Number(port), hostname), Buffer.from(request), ends),
  )
  const rest = stayAwake()
  const latenciesMs = (await Promise.all(loads)).flat()
  rest()
  return { count: latenciesMs.length, latenciesMs }
}

const stayAwake = () => {
  let awake = true
  const turn = () => {
    if (awake) setImmediate(turn)
  }
  turn()
  return () => void (awake = false)
}

const loadConnection = (socket: Socket, request: Buffer, ends: number) =>
  new Promise<number[]>((resolve, reject) => {
    const latenciesMs: number[] = []
    let sentAt = performance.now()
    let received = ''
    socket.setNoDelay(true)
    socket.setEncoding('latin1')
    socket.on('error', reject)
    socket.on('close', () => resolve(latenciesMs))
    socket.on('data', (chunk: string) => {
      received += chunk
      if (!isWhole(received)) return
      if (!received.startsWith('HTTP/1.1 200')) return void socket.destroy(new Error(received.slice(0, 1000)))
      const now = performance.now()
      latenciesMs.push(now - sentAt)
      received = ''
      if (now > ends) return void socket.end()
      sentAt = now
      socket.write(request)
    })
    socket.write(request)
  })

const isWhole = (received: string) => {
  const head = received.indexOf('\r\n\r\n')
  if (head === -1) return false
  const length = /content-length: (\d+)/i.exec(received.slice(0, head))?.[1]
  return received.length >= head + 4 + Number(length ?? 0)
}
