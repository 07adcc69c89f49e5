import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fetchTransport, systemTiming, webSocketTransport, type Timing } from '@rivulet/client'
import { WebSocket, WebSocketServer } from 'ws'
import { faults, type ByteFault } from '../../src/index.ts'
import { chaosProxy } from '../../src/node/index.ts'
import { askedOverHttp, askedOverSocket, backendOf, bodyOf, bordersOf, socketTexts, type Backend } from './backend.ts'
import type { Recording } from './recordings.ts'
import { play, type Cut, type Outcome } from './session.ts'

/** What a stream goes over. */
export type Wire = 'sse' | 'web-socket'

/** Sessions over real sockets of this machine, one at a time. */
export interface Loopback {
  /** A session with one cut of the bytes that come back over a connection, HTTP's own framing among them. */
  session(recording: Recording, cut: Cut, wire: Wire): Promise<Outcome>
  /** How many bytes come back over the first connection of a run, and behind which of them an event ends. */
  measure(recording: Recording, run: string, wire: Wire): Promise<{ length: number; borders: readonly number[] }>
  close(): Promise<void>
}

/** Time passes faster than it does, so that a silence is noticed soon. */
const FASTER = 1000
const hurried: Timing = {
  ...systemTiming,
  now: () => systemTiming.now() * FASTER,
  after: (delayMs, fn) => systemTiming.after(delayMs / FASTER, fn),
}

/** A server of recordings with a proxy before it that cuts. */
export async function loopback(): Promise<Loopback> {
  let backend: Backend = () => Promise.reject(new Error('nothing is played'))
  let current: string | undefined
  /** What is done to the next answer while this run is the current one. */
  let armed: { run: string; fault: ByteFault } | undefined
  const server = createServer((request, response) => void answer(backend, request, response))
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => {
    socket.on('error', () => undefined)
    socket.on('message', (data) => void answerSocket(backend, socket, (data as Buffer).toString()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A server that listens on a port has an address with one.
  const { port } = server.address() as AddressInfo
  const onAnswer: ByteFault = {
    on: 'bytes',
    begin() {
      let apply: ReturnType<ByteFault['begin']> | undefined
      return (act) => {
        // Not when the connection is made: `fetch` makes some that it does not use.
        if (apply === undefined && armed?.run === current) {
          apply = armed?.fault.begin()
          armed = undefined
        }
        return (apply ??= (one) => [one])(act)
      }
    },
  }
  const proxy = await chaosProxy({ port, faults: () => [onAnswer] })
  const session = async (recording: Recording, wire: Wire, run: string, fault: ByteFault): Promise<Outcome> => {
    backend = backendOf(recording)
    armed = { run, fault }
    const onStart = (id: string) => (current = id)
    const options = { url: proxy.url, webSocket: WebSocket }
    const transport = wire === 'sse' ? fetchTransport(options) : webSocketTransport(options)
    const outcome = await play(recording, transport, hurried, onStart)
    if (armed !== undefined) throw new Error('nothing came back that could be cut')
    return outcome
  }
  return {
    session: (recording, { run, at, kind }, wire) => session(recording, wire, run, faults.cut({ atByte: at }, kind)),
    async measure(recording, run, wire) {
      let length = 0
      const counting: ByteFault = {
        on: 'bytes',
        begin: () => (act) => {
          if (act.type === 'bytes') length += act.bytes.length
          return [act]
        },
      }
      await session(recording, wire, run, counting)
      const { frames } = recording.runs.find(({ id }) => id === run)!
      const inside = wire === 'sse' ? bordersOf(frames) : socketBorders(socketTexts(frames))
      const head = length - inside.at(-1)! - (wire === 'sse' ? 0 : CLOSE_BYTES)
      return { length, borders: inside.map((border) => head + border) }
    },
    async close() {
      await proxy.close()
      sockets.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A socket's last frame: its code, in a frame of its own. */
const CLOSE_BYTES = 4

function socketBorders(texts: readonly string[]): readonly number[] {
  let at = 0
  return [
    0,
    ...texts.map((text) => {
      const bytes = Buffer.byteLength(text)
      return (at += bytes + (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10))
    }),
  ]
}

async function answer(backend: Backend, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pieces: Buffer[] = []
  // A request's body comes in buffers unless it was given an encoding.
  for await (const piece of request) pieces.push(piece as Buffer)
  const address = new URL(request.url ?? '', 'http://127.0.0.1')
  const { frames } = await backend(askedOverHttp(address, Buffer.concat(pieces).toString()))
  // The body ends with the connection, as behind proxies that speak HTTP/1.0: nothing else says whether it is whole.
  response.useChunkedEncodingByDefault = false
  response.shouldKeepAlive = false
  response.sendDate = false
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(bodyOf(frames))
}

async function answerSocket(backend: Backend, socket: WebSocket, said: string): Promise<void> {
  const asked = askedOverSocket(said)
  if (asked === undefined) return
  const { frames } = await backend(asked)
  for (const text of socketTexts(frames)) socket.send(text)
  socket.close(1000)
}
