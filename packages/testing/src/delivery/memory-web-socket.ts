import type { OpenRequest } from '@rivulet/client'
import { encodeSocketFatal, encodeSocketFrame, randomId, wireState, type WireError } from '@rivulet/protocol'
import type { Source } from '../pump/playable.ts'
import type { Pump } from '../pump/pump.ts'
import { backstageOf } from '../pump/stage.ts'
import { createConnections, type Connections, type DeliveryOptions } from './connections.ts'
import { pumpOf } from './memory-transport.ts'
import type { Played } from './play-acts.ts'
import { webSocketPair, type PairedSocket, type PairEnd } from './web-socket-pair.ts'

/** Makes sockets, as the global `WebSocket` does. */
export type WebSocketClass = new (url: string, protocol?: string) => PairedSocket

/**
 * A `WebSocket` whose other end plays a script, whatever address is asked: `webSocketTransport({ url, webSocket:
 * memoryWebSocket(p), fetch: memoryFetch(p) })`. Faults that work on events fit; a frame of a socket is never cut.
 */
export function memoryWebSocket(source: Pump | Source, options: DeliveryOptions = {}): WebSocketClass {
  const pump = pumpOf(source)
  const connections = createConnections(pump, options)
  // A class to its caller; every socket is one end of a pair.
  return function MemoryWebSocket(): PairedSocket {
    const [client, server] = webSocketPair()
    playOnSocket(server, pump, connections)
    return client
  } as unknown as WebSocketClass
}

/** What a client says on its socket. */
type Said = { type: 'auth' } | ({ type: 'open'; after?: string } & OpenRequest) | { type: 'cancel'; run: string }

/** Answers what a client asks on its socket, as our server does; `socket` is the server's end. */
export function playOnSocket(socket: PairEnd, pump: Pump, connections: Connections): void {
  const left = new AbortController()
  let thread: string | undefined
  socket.addEventListener('close', () => left.abort())
  socket.addEventListener('message', ({ data }) => {
    backstageOf(pump).stir()
    // The client under test wrote it; a field that is wrong shows in what it is answered.
    const said = JSON.parse(String(data)) as Said
    if (said.type === 'cancel' && thread !== undefined) cancel(pump, thread, said.run)
    if (said.type !== 'open' || thread !== undefined) return
    const { type: _type, after, start, ...rest } = said
    thread = rest.thread
    const open = start === undefined ? rest : { ...rest, start: { ...start, run: start.run ?? randomId() } }
    void answer(socket, connections, { open, after }, left.signal)
  })
}

function cancel(pump: Pump, thread: string, run: string): void {
  backstageOf(pump).cancel(run)
  // A run that never was cannot be cancelled; over a socket nobody waits to be told.
  pump.backend.cancel?.(thread, run, {}).catch(() => undefined)
}

async function answer(
  socket: PairEnd,
  connections: Connections,
  request: Parameters<Connections['open']>[0],
  left: AbortSignal,
): Promise<void> {
  const wire = wireState()
  const { played, close } = connections.open(request, left, {
    frame: (frame) => encoder.encode(encodeSocketFrame(frame, wire)),
    fatal: (error) => encoder.encode(encodeSocketFatal(error)),
  })
  let status = 200
  for await (const act of played) status = say(socket, act, status)
  close()
  socket.close()
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Does on a socket what over HTTP is done on a connection. Answers the status that the answer has. */
function say(socket: PairEnd, act: Played, status: number): number {
  if (act.type === 'head') return act.status
  if (act.type === 'bytes') {
    const text = decoder.decode(act.bytes)
    const error = status === 200 ? undefined : errorIn(text)
    if (status === 200) socket.send(text)
    // What is no error of ours is told by the code alone with which the socket closes.
    else if (error !== undefined) socket.send(encodeSocketFatal(error))
  } else if (act.how === 'rst') socket.break()
  else socket.close(status === 200 ? 1000 : 4000 + status)
  return status
}

/** The error that the body of an HTTP answer names. */
function errorIn(text: string): WireError | undefined {
  try {
    // A body that the kit or a fault wrote; other bodies have no such field.
    return (JSON.parse(text) as { error?: WireError }).error
  } catch {
    return undefined
  }
}
