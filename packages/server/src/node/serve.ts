import { createServer, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { RivuletError } from '@rivulet/protocol'
import type { App, CloseOptions } from '../app/create-app.ts'
import { Addresses } from './addresses.ts'
import { hostCheck } from './host-check.ts'
import { nodeListener } from './node-listener.ts'
import { type WebSockets, webSockets } from './web-sockets.ts'

/** Where to listen. */
export interface ServeOptions {
  /** Default 2024; 0 takes any free one. */
  port?: number
  /** Default `127.0.0.1`. Any address that others can reach needs an app with `auth`, or `insecure`. */
  hostname?: string
  /** Listens where others can reach it without asking who they are. Default `false`. */
  insecure?: boolean
  /**
   * Names that requests may be addressed to, without port; others are answered 403. Default: on a loopback address only
   * loopback names, so that no page can reach it by a name of its own that leads there; elsewhere any.
   */
  hosts?: readonly string[]
  /** Connections at once. Default: as many as the system allows. */
  maxConnections?: number
  /**
   * Connections at once of one address, or of one IPv6 network of 64 bits; what more of them ask is answered 429. Default:
   * 1,000, and any number from this machine. Behind a proxy on another machine all come from its address.
   */
  maxConnectionsPerAddress?: number
}

/** A server that listens. */
export interface Served {
  /** Its address, such as `http://127.0.0.1:2024`. */
  readonly url: string
  readonly port: number
  /** Takes no more connections, closes the app, and resolves when the last connection is gone. */
  close(options?: CloseOptions): Promise<void>
}

/** Time in milliseconds for a request's head, and for all of it: streams are answers and take as long as they like. */
const HEAD_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
/** Time in milliseconds between two looks at who is over those: Node's own would let them have 30 seconds more. */
const LOOK_MS = 2_000
/** Time in milliseconds that connections have to go by themselves once the app is closed. */
const LAST_WORDS_MS = 1000

/**
 * Serves an app over HTTP. Resolves when it listens; rejects with `INVALID_INPUT` for an address that others can reach
 * when the app does not ask who they are, and with the system's error when it cannot listen.
 */
export async function serve(app: App, options: ServeOptions = {}): Promise<Served> {
  const {
    port = 2024,
    hostname = '127.0.0.1',
    insecure = false,
    hosts,
    maxConnections,
    maxConnectionsPerAddress,
  } = options
  const isKnownHost = hostCheck(hosts, isLoopback(hostname), hostname)
  if (!app.hasAuth && !insecure && !isLoopback(hostname)) {
    throw new RivuletError(
      'INVALID_INPUT',
      `${hostname} can be reached by others: give createApp an auth hook, or serve with insecure: true`,
    )
  }
  const listener = nodeListener(app)
  const sockets = webSockets(app)
  let closing: Promise<void> | undefined
  /** Connections that have never asked anything: Node does not count them as idle. */
  const silent = new Set<Socket>()
  const addresses = new Addresses(maxConnectionsPerAddress)
  /** Connections of addresses that have too many. */
  const surplus = new WeakSet<Socket>()
  const server = createServer(
    { headersTimeout: HEAD_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: LOOK_MS },
    (request, response) => {
      silent.delete(request.socket)
      response.once('close', () => {
        // A connection that has just been answered is idle only after this event.
        if (closing !== undefined) setImmediate(() => server.closeIdleConnections())
      })
      if (surplus.has(request.socket)) refuse(response, 429, TOO_MANY)
      else if (isKnownHost(request)) void listener(request, response)
      else refuse(response, 403, UNKNOWN_HOST)
    },
  )
  server.on('upgrade', (request, socket, head) => {
    silent.delete(request.socket)
    if (isKnownHost(request) && !surplus.has(request.socket)) sockets.listener(request, socket, head)
    else socket.destroy()
  })
  server.on('connection', (socket: Socket) => {
    silent.add(socket)
    if (!addresses.take(socket)) surplus.add(socket)
    socket.once('close', () => silent.delete(socket))
  })
  if (maxConnections !== undefined) server.maxConnections = maxConnections
  const actualPort = await listen(server, port, hostname)
  return {
    port: actualPort,
    url: `http://${hostname.includes(':') ? `[${hostname}]` : hostname}:${actualPort}`,
    close(given) {
      closing ??= closeAll(server, sockets, app, given)
      for (const socket of silent) socket.destroy()
      return closing
    },
  }
}

const UNKNOWN_HOST = new RivuletError('FORBIDDEN', 'the server does not go by this name; see the hosts option')
const TOO_MANY = new RivuletError('LIMIT_EXCEEDED', 'too many connections come from this address', { retryable: true })

function refuse(response: ServerResponse, status: 403 | 429, error: RivuletError): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-content-type-options': 'nosniff',
    ...(status === 429 && { 'retry-after': '1' }),
    connection: 'close',
  })
  response.end(JSON.stringify({ error }))
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
}

function listen(server: Server, port: number, hostname: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, hostname, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

async function closeAll(
  server: Server,
  sockets: WebSockets,
  app: App,
  options: CloseOptions | undefined,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  await app.close(options)
  server.closeIdleConnections()
  const force = setTimeout(() => {
    server.closeAllConnections()
    sockets.close()
  }, LAST_WORDS_MS)
  await closed
  clearTimeout(force)
  sockets.close()
}
