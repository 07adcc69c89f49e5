import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import { statusOf } from '../http/public-error.ts'
import { toRivuletError } from '@rivulet/protocol'
import type { App } from '../app/create-app.ts'
import type { Connection } from '../socket/session.ts'

/** Takes over a connection that asks to be a WebSocket, as the event `upgrade` of `node:http` passes it on. */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Listens for the app's WebSockets. */
export interface WebSockets {
  listener: UpgradeListener
  /** Ends the sockets that are still open, without a word. */
  close(): void
}

const PROTOCOL = 'rivulet.v1'

/**
 * Serves the app's streams over WebSockets, at `/v1/ws` and where its other protocols have theirs. A socket whose other
 * end has not answered for two heartbeats is dropped. Requests for other paths are answered 404.
 */
export function webSockets(app: Pick<App, 'admitSocket' | 'openSocket' | 'socketLimits'>): WebSockets {
  const { maxFrameBytes, heartbeatMs } = app.socketLimits
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    // What is compressed can grow without bound, and costs memory for every socket.
    perMessageDeflate: false,
    handleProtocols: (protocols) => (protocols.has(PROTOCOL) ? PROTOCOL : false),
  })
  const silent = new WeakSet<WebSocket>()
  const clock = setInterval(() => {
    for (const socket of server.clients) {
      if (silent.has(socket)) socket.terminate()
      else {
        silent.add(socket)
        socket.ping()
      }
    }
  }, heartbeatMs)
  clock.unref()
  return {
    listener(incoming, duplex, head) {
      duplex.on('error', () => undefined)
      const request = requestOf(incoming)
      try {
        app.admitSocket(request)
      } catch (error) {
        return refuse(duplex, statusOf(toRivuletError(error)))
      }
      server.handleUpgrade(incoming, duplex, head, (socket) => {
        const session = app.openSocket(request, connectionOf(socket))
        socket.on('message', (data, isBinary) => {
          silent.delete(socket)
          if (isBinary) socket.close(1003)
          // `ws` hands over a Buffer unless it is asked for something else.
          else session.receive((data as Buffer).toString('utf8'))
        })
        socket.on('pong', () => silent.delete(socket))
        // A frame that is too large or malformed: `ws` closes the socket, which is what counts.
        socket.on('error', () => undefined)
        socket.once('close', () => session.leave())
      })
    },
    close() {
      clearInterval(clock)
      for (const socket of server.clients) socket.terminate()
    },
  }
}

function connectionOf(socket: WebSocket): Connection {
  return {
    send: (text) =>
      new Promise((resolve, reject) => {
        socket.send(text, (error) => (error ? reject(error) : resolve()))
      }),
    close: (code) => socket.close(code),
    terminate: () => socket.terminate(),
  }
}

function requestOf({ headers, url = '/' }: IncomingMessage): Request {
  const given = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) given.append(name, one)
  }
  const host = headers.host ?? 'localhost'
  return new Request(URL.canParse(url, `http://${host}`) ? new URL(url, `http://${host}`) : 'http://localhost/', {
    headers: given,
  })
}

function refuse(duplex: Duplex, status: number): void {
  duplex.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
}
