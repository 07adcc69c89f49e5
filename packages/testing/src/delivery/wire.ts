import type { OpenRequest } from '@rivulet/client'
import { encodeFrame, randomId, RivuletError, wireState } from '@rivulet/protocol'
import { createLine, type Act, type Fault } from '../faults/act.ts'
import { faultsOf, type FaultPlan } from '../faults/faults.ts'
import { backstageOf, type Connection, type Pump } from '../pump/pump.ts'
import { answerCall } from './answer-call.ts'
import { aborted, playActs, responseOf } from './play-acts.ts'
import { callOf, readRead, readStart, type StreamRequest } from './read-request.ts'
import { errorBody, statusOf, streamActs } from './stream-acts.ts'

/** How a delivery is made. */
export interface DeliveryOptions {
  /** What goes wrong, by connection: of streams only, in the order in which they are opened. */
  faults?: FaultPlan | undefined
}

/** Answers requests as our server does. Rejects as `fetch` does when nothing is answered. */
export type Wire = (request: Request) => Promise<Response>

/** A wire of its own, with its own faults, to what a pump plays. */
export function createWire(pump: Pump, { faults = [] }: DeliveryOptions = {}): Wire {
  const open: OpenConnection[] = []
  const stream = (asked: StreamRequest, signal: AbortSignal) => {
    const connection = openConnection(pump, asked.open, asked.after, signal)
    const plan = faultsOf(faults, open.length)
    open.push(connection)
    return answerStream(pump, connection, plan, () => {
      for (const earlier of open.slice(0, open.indexOf(connection))) earlier.overtake()
    })
  }
  return async (request) => {
    try {
      const call = callOf(request)
      if (call?.kind === 'read') return await stream(readRead(call.thread, request), request.signal)
      if (call?.kind !== 'start') return await answerCall(pump, call, request)
      return await stream(await readStart(call.thread, request, randomId), request.signal)
    } catch (error) {
      if (!(error instanceof RivuletError)) throw error
      return Response.json(errorBody(error), { status: statusOf(error) })
    }
  }
}

/** A stream that was opened. */
interface OpenConnection extends Connection {
  isOpen: boolean
  readonly request: OpenRequest
  /** Aborts when it is over, whoever ended it. */
  readonly signal: AbortSignal
  close(): void
  /** A connection opened later has ended. */
  overtake(): void
  readonly overtaken: Promise<void>
}

function openConnection(
  pump: Pump,
  request: OpenRequest,
  after: string | undefined,
  left: AbortSignal,
): OpenConnection {
  const backstage = backstageOf(pump)
  const over = new AbortController()
  let overtake: () => void = () => {}
  const overtaken = new Promise<void>((resolve) => (overtake = resolve))
  const { thread, start } = request
  const close = () => {
    left.removeEventListener('abort', close)
    connection.isOpen = false
    over.abort()
    backstage.stir()
  }
  const connection: OpenConnection = {
    thread,
    start,
    after,
    request,
    isOpen: true,
    signal: over.signal,
    overtake,
    overtaken,
    close,
  }
  left.addEventListener('abort', close)
  if (left.aborted) close()
  backstage.open(connection)
  return connection
}

function answerStream(
  pump: Pump,
  connection: OpenConnection,
  faults: readonly Fault[],
  onEnd: () => void,
): Promise<Response> {
  const { request, after, signal } = connection
  const frames = pump.backend.open(request, { signal, after })
  const played = playActs(throughFaults(streamActs(frames), faults), {
    timing: pump.timing,
    signal,
    overtaken: () => Promise.race([connection.overtaken, aborted(signal)]),
    onAct: () => backstageOf(pump).stir(),
  })
  return responseOf(played, () => {
    connection.close()
    onEnd()
  })
}

const encoder = new TextEncoder()

/** The acts as they leave: through the connection's faults, and written as bytes. */
async function* throughFaults(acts: AsyncIterable<Act>, faults: readonly Fault[]): AsyncGenerator<Act, void> {
  const wire = wireState()
  const line = createLine(faults, (frame) => encoder.encode(encodeFrame(frame, wire)))
  for await (const act of acts) yield* line(act)
}
