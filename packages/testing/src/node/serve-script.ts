import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { createConnections, type DeliveryOptions } from '../delivery/connections.ts'
import { pumpOf } from '../delivery/memory-transport.ts'
import { playOnSocket } from '../delivery/memory-web-socket.ts'
import type { PairEnd } from '../delivery/web-socket-pair.ts'
import { createWire, type Wire } from '../delivery/wire.ts'
import type { Playable } from '../pump/playable.ts'
import type { Pump } from '../pump/pump.ts'

/** A server on this machine's loopback that plays a script. */
export interface ScriptServer {
  /** Its address, such as `http://127.0.0.1:41234`. */
  readonly url: string
  /** Ends every connection and listens no more. */
  close(): Promise<void>
}

/**
 * Serves a script over real HTTP and WebSockets (at `/v1/ws`) on a free port of 127.0.0.1, for pages of any origin.
 * Answers as our server does; faults are real: a reset is a reset of the socket, a stall leaves it open and silent. Both
 * kinds of connections are counted together.
 */
export async function serveScript(source: Pump | Playable, options: DeliveryOptions = {}): Promise<ScriptServer> {
  const pump = pumpOf(source)
  const connections = createConnections(pump, options)
  const wire = createWire(pump, connections)
  const server = createServer((request, response) => void answer(wire, request, response))
  const sockets = new WebSocketServer({ server, path: '/v1/ws', perMessageDeflate: false })
  sockets.on('connection', (socket, { socket: below }) => playOnSocket(endOf(socket, below), pump, connections))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  // A server that listens on a port has an address with one.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
        for (const socket of sockets.clients) socket.terminate()
      }),
  }
}

/** A socket of a client as the server's end of a pair. */
function endOf(socket: WebSocket, below: Socket): PairEnd {
  return {
    addEventListener: (type, listener) => socket.addEventListener(type, listener),
    send: (text) => socket.send(text, () => undefined),
    close: (code) => socket.close(code),
    break: () => below.resetAndDestroy(),
  }
}

async function answer(wire: Wire, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const left = new AbortController()
  outgoing.once('close', () => left.abort())
  try {
    if (incoming.method === 'OPTIONS') {
      outgoing.writeHead(204, CORS).end()
      return
    }
    const response = await wire(await requestOf(incoming, left.signal))
    outgoing.writeHead(response.status, { ...CORS, ...Object.fromEntries(response.headers) })
    outgoing.flushHeaders()
    // Node's types of a web stream are its own.
    for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
      if (left.signal.aborted) return
      if (!outgoing.write(bytes)) await drained(outgoing)
    }
    outgoing.end()
  } catch {
    // Broken off by a fault, or never answered: whoever reads learns it from the socket.
    if (!left.signal.aborted) incoming.socket.resetAndDestroy()
  }
}

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': '*',
  'access-control-allow-methods': '*',
}

async function requestOf(incoming: IncomingMessage, signal: AbortSignal): Promise<Request> {
  const pieces: Buffer[] = []
  // A request's body comes in buffers unless it was given an encoding.
  for await (const piece of incoming) pieces.push(piece as Buffer)
  const { method = 'GET', url = '/' } = incoming
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers.set(name, String(value))
  const body = method === 'GET' || method === 'HEAD' ? undefined : Buffer.concat(pieces)
  return new Request(new URL(url, 'http://127.0.0.1'), { method, headers, signal, ...(body && { body }) })
}

function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    outgoing.once('drain', resolve)
    outgoing.once('close', resolve)
  })
}
