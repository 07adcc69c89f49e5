import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fetchTransport, systemTiming, webSocketTransport, type Timing } from '@rivulet/client'
import { WebSocket, WebSocketServer } from 'ws'
import { faults, type ByteFault, type CutKind } from '../../src/index.ts'
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
  measure(
    recording: Recording,
    run: string,
    kind: CutKind,
    wire: Wire,
  ): Promise<{ length: number; borders: readonly number[] }>
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
  /**
   * Whether a body ends with its connection, as behind proxies that speak HTTP/1.0: nothing else says then that it is
   * whole. In chunks a lost end shows, and a reset is told as one.
   */
  let isChunked = false
  const server = createServer((request, response) => void answer(backend, isChunked, request, response))
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
      let apply: ReturnType<ByteFault['begin']> = (act) => [act]
      return (act) => {
        // Not when the connection is made: `fetch` makes some that it does not use, and uses some again.
        if (act.type === 'bytes' && armed !== undefined && armed.run === current) {
          apply = armed.fault.begin()
          armed = undefined
        }
        return apply(act)
      }
    },
  }
  const proxy = await chaosProxy({ port, faults: () => [onAnswer] })
  const session = async (
    recording: Recording,
    wire: Wire,
    { run, kind }: Pick<Cut, 'run' | 'kind'>,
    fault: ByteFault,
  ): Promise<Outcome> => {
    backend = backendOf(recording)
    isChunked = kind !== 'fin'
    armed = { run, fault }
    const onStart = (id: string) => (current = id)
    const options = { url: proxy.url, webSocket: WebSocket }
    const transport = wire === 'sse' ? fetchTransport(options) : webSocketTransport(options)
    const outcome = await play(recording, transport, hurried, onStart)
    if (armed !== undefined) throw new Error('nothing came back that could be cut')
    return outcome
  }
  return {
    session: (recording, cut, wire) => session(recording, wire, cut, faults.cut({ atByte: cut.at }, cut.kind)),
    async measure(recording, run, kind, wire) {
      const pieces: Uint8Array[] = []
      const keeping: ByteFault = {
        on: 'bytes',
        begin: () => (act) => {
          if (act.type === 'bytes') pieces.push(act.bytes)
          return [act]
        },
      }
      await session(recording, wire, { run, kind }, keeping)
      const bytes = Buffer.concat(pieces)
      const { frames } = recording.runs.find(({ id }) => id === run)!
      if (wire === 'sse') {
        const head = bytes.indexOf(bodyOf(frames))
        return { length: bytes.length, borders: bordersOf(frames).map((border) => head + border) }
      }
      const ends = socketTexts(frames).map((text) => bytes.indexOf(text) + Buffer.byteLength(text))
      return { length: bytes.length, borders: ends }
    },
    async close() {
      await proxy.close()
      sockets.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function answer(
  backend: Backend,
  isChunked: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const pieces: Buffer[] = []
  // A request's body comes in buffers unless it was given an encoding.
  for await (const piece of request) pieces.push(piece as Buffer)
  const address = new URL(request.url ?? '', 'http://127.0.0.1')
  const { frames } = await backend(askedOverHttp(address, Buffer.concat(pieces).toString()))
  response.useChunkedEncodingByDefault = isChunked
  // `fetch` takes a reset for an end of the body where the server has said that it will close.
  response.shouldKeepAlive = isChunked
  response.sendDate = false
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(bodyOf(frames))
  response.end()
}

async function answerSocket(backend: Backend, socket: WebSocket, said: string): Promise<void> {
  const asked = askedOverSocket(said)
  if (asked === undefined) return
  const { frames } = await backend(asked)
  for (const text of socketTexts(frames)) socket.send(text)
  socket.close(1000)
}
