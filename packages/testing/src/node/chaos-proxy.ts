import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { systemTiming, type Timing } from '@rivulet/client'
import { createLine, type Act, type ByteFault } from '../faults/act.ts'
import { sleep } from '../pump/clock.ts'

/** What a proxy stands in front of, and what it does to whom. */
export interface ChaosProxyOptions {
  /** Port on 127.0.0.1 of the server behind it. */
  port: number
  /**
   * What goes wrong with the bytes that come back, by connection, counted from 0. HTTP's own framing is among them: byte
   * 1 is the first of the status line.
   */
  faults: readonly (ByteFault | readonly ByteFault[])[] | ((connection: number) => readonly ByteFault[])
  /** Clock of delays. Default: the platform's. */
  timing?: Timing
}

/** A TCP proxy that listens. */
export interface ChaosProxy {
  /** Its address, such as `http://127.0.0.1:41235`. */
  readonly url: string
  /** How many connections it has taken. */
  readonly connections: number
  /** Ends every connection and listens no more. */
  close(): Promise<void>
}

/**
 * A TCP proxy on a free port of 127.0.0.1 that passes requests on as they are and lets faults at the bytes of the answer:
 * for clients in a process or a browser of their own, and for servers of any kind.
 */
export async function chaosProxy(options: ChaosProxyOptions): Promise<ChaosProxy> {
  const { port, faults, timing = systemTiming } = options
  const sockets = new Set<Socket>()
  let connections = 0
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // What goes wrong with a socket ends it; the other side is told by that.
    socket.on('error', () => {})
  }
  const server = createServer((downstream) => {
    const place = connections++
    const found = typeof faults === 'function' ? faults(place) : (faults[place] ?? [])
    const upstream = connect(port, '127.0.0.1')
    keep(downstream)
    keep(upstream)
    downstream.pipe(upstream)
    downstream.on('close', () => upstream.destroy())
    void passBack(upstream, downstream, 'begin' in found ? [found] : found, timing)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  // A server that listens on a port has an address with one.
  const address = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${address.port}`,
    get connections() {
      return connections
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

async function passBack(from: Socket, to: Socket, faults: readonly ByteFault[], timing: Timing): Promise<void> {
  const gone = new AbortController()
  to.on('close', () => gone.abort())
  const line = createLine(faults, () => new Uint8Array())
  try {
    for await (const act of actsOf(from)) {
      for (const done of line(act)) await doAct(done, to, timing, gone.signal)
    }
  } catch {
    to.resetAndDestroy()
  }
}

/** What comes over a socket, as acts. */
async function* actsOf(socket: Socket): AsyncGenerator<Act, void> {
  // Bytes come in buffers unless the socket was given an encoding.
  for await (const bytes of socket) yield { type: 'bytes', bytes: bytes as Buffer }
  yield { type: 'close', how: 'fin' }
}

async function doAct(act: Act, to: Socket, timing: Timing, gone: AbortSignal): Promise<void> {
  if (act.type === 'wait') await sleep(act.delayMs, timing, gone)
  else if (act.type === 'close' && act.how === 'rst') to.resetAndDestroy()
  else if (act.type === 'close') to.end()
  else if (act.type === 'bytes') await written(to, act.bytes)
}

/** Resolves once the bytes were handed on, or the socket is gone. Each piece leaves by itself. */
function written(to: Socket, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    if (to.destroyed) return resolve()
    to.setNoDelay(true)
    to.write(bytes, () => resolve())
    return undefined
  })
}
