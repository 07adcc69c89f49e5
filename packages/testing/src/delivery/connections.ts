import type { OpenRequest } from '@rivulet/client'
import type { Frame, WireError } from '@rivulet/protocol'
import { createLine, type Act, type Fault } from '../faults/act.ts'
import { faultsOf, type FaultPlan } from '../faults/faults.ts'
import type { Pump } from '../pump/pump.ts'
import { backstageOf, type Connection } from '../pump/stage.ts'
import { aborted, playActs, type Played } from './play-acts.ts'
import { streamActs } from './stream-acts.ts'

/** How a delivery is made. */
export interface DeliveryOptions {
  /** What goes wrong, by connection: of streams only, in the order in which they are opened. */
  faults?: FaultPlan | undefined
}

/** What a request asks of a thread's stream. */
export interface StreamRequest {
  open: OpenRequest
  after: string | undefined
}

/** A stream as it leaves: what is done on its connection, once waits are over. */
export interface OpenStream {
  readonly played: AsyncGenerator<Played, void>
  /** It is over, or its reader has left. */
  readonly close: () => void
}

/** How a wire writes. */
export interface Encoding {
  readonly frame: (frame: Frame) => Uint8Array
  /** What ends the stream for this reader alone. */
  readonly fatal: (error: WireError) => Uint8Array
}

/** The connections of one delivery, with their faults. */
export interface Connections {
  /** Opens a stream; it ends when `left` aborts. */
  open(request: StreamRequest, left: AbortSignal, encoding: Encoding): OpenStream
}

/** Connections to what a pump plays, which each delivery counts for itself. */
export function createConnections(pump: Pump, { faults = [] }: DeliveryOptions): Connections {
  const earlier: { overtake: () => void }[] = []
  return {
    open({ open, after }, left, { frame, fatal }) {
      const backstage = backstageOf(pump)
      const place = earlier.length
      const over = new AbortController()
      const { signal } = over
      let overtake: () => void = () => {}
      const overtaken = new Promise<void>((resolve) => (overtake = resolve))
      earlier.push({ overtake })
      const connection: { -readonly [K in keyof Connection]: Connection[K] } = {
        thread: open.thread,
        start: open.start,
        after,
        isOpen: true,
      }
      const close = () => {
        left.removeEventListener('abort', close)
        connection.isOpen = false
        over.abort()
        for (const other of earlier.slice(0, place)) other.overtake()
        backstage.stir()
      }
      left.addEventListener('abort', close)
      if (left.aborted) close()
      backstage.open(connection)
      const acts = streamActs(pump.backend.open(open, { signal, after }), fatal)
      const played = playActs(throughFaults(acts, faultsOf(faults, place), frame), {
        timing: pump.timing,
        signal,
        overtaken: () => Promise.race([overtaken, aborted(signal)]),
        onAct: backstage.stir,
      })
      return { played, close }
    },
  }
}

/** The acts as they leave: through the connection's faults, and written as bytes. */
async function* throughFaults(
  acts: AsyncIterable<Act>,
  faults: readonly Fault[],
  encode: (frame: Frame) => Uint8Array,
): AsyncGenerator<Act, void> {
  const line = createLine(faults, encode)
  for await (const act of acts) yield* line(act)
}
