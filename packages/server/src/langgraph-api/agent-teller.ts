import {
  currentRun,
  interruptsOf,
  type RunEvent,
  type StampedEvent,
  type ThreadState,
  type WireError,
} from '@rivulet/protocol'
import {
  createAgentStreamEncoder,
  type AgentStreamEncoder,
  type AgentStreamFrame,
} from '@rivulet/protocol/wires/langgraph'
import { type AgentFailure, failureOf } from './agent-failure.ts'
import { type Teller, unheard } from './peer-stream.ts'

/** Frames of one event, at most: what a frame's `seq` counts an event as. */
const FRAMES_PER_EVENT = 1000

/** Where in a thread's frames those of an event begin, or the one at `index` stands; `Infinity`: the last there can be. */
export function frameSeq(eventSeq: number, index = 0): number {
  return eventSeq * FRAMES_PER_EVENT + Math.min(index, FRAMES_PER_EVENT - 1)
}

/** The last event that a reader has all frames of, whose last frame was `seq`. */
export function eventBefore(seq: number): number {
  return Math.max(0, Math.floor((seq + 1) / FRAMES_PER_EVENT) - 1)
}

/** A frame with its place, as clients read it. */
export interface PlacedFrame {
  readonly type: 'event'
  /** The same on every connection. */
  readonly event_id: string
  /** Strictly increasing over the thread. */
  readonly seq: number
  readonly method: string
  readonly params: AgentStreamFrame['params'] & { readonly timestamp: number }
}

/** How a connection is written to. */
export interface AgentWire {
  frame(frame: PlacedFrame): string
  failure(failure: AgentFailure): string
  /** Before the server closes. */
  comeBack(delayMs: number): string
  /** While there is nothing to say. */
  readonly heartbeat: string
}

/** Whose frames are told, to whom. */
export interface AgentTellerOptions {
  readonly log: string
  /** Whether the reader wants a frame; `seq` is its place in the thread. */
  readonly wants: (frame: AgentStreamFrame, seq: number) => boolean
  readonly wire: AgentWire
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Tells a thread in the frames of the agent streaming protocol. Ids and `seq` are the same on every connection. */
export class AgentTeller implements Teller {
  readonly #options: AgentTellerOptions
  readonly #encoder: AgentStreamEncoder = createAgentStreamEncoder()

  constructor(options: AgentTellerOptions) {
    this.#options = options
  }

  event(event: StampedEvent, state: ThreadState, before: ThreadState): string {
    if (event.type !== 'message.delta') return this.#written(event.seq, this.#encoder.encode(event, state, before))
    const heard = unheard(event, before)
    const frames = this.#encoder.encode(heard, state, before)
    // A delta that the log has merged, or that was cut, stands where another stood before: by where it begins it is told
    // from that. The first of a part begins its block, and so takes back what a reader has of it.
    return this.#written(event.seq, frames, { from: frames.length === 1 ? 1 : 0, mark: `@${heard.at}` })
  }

  caughtUp(state: ThreadState): string {
    return this.#written(state.cursor, this.#standing(state), { mark: 's' })
  }

  fatal(error: WireError): string {
    // A reader that may come back does so when its connection ends.
    return error.retryable === true ? '' : this.#options.wire.failure(failureOf(null, error))
  }

  heartbeat(): string {
    return this.#options.wire.heartbeat
  }

  comeBack(delayMs: number): string {
    return this.#options.wire.comeBack(delayMs)
  }

  /** Where the thread stands, in place of how it got there. */
  #standing(state: ThreadState): AgentStreamFrame[] {
    const run = currentRun(state)
    if (run === undefined) return []
    const { id, graph, status, error } = run
    const encode = (event: RunEvent): AgentStreamFrame[] => createAgentStreamEncoder().encode(event, state)
    const open = [...state.live.values()].flatMap(({ id: message, role, name, toolCallId, meta, parts }) => {
      const { node, task, namespace: ns } = meta
      const place = {
        run: id,
        ...(ns && { ns }),
        ...(node !== undefined && { node }),
        ...(task !== undefined && { task }),
      }
      const about = { ...(name !== undefined && { name }), ...(toolCallId !== undefined && { toolCallId }) }
      return [
        ...encode({ type: 'message.start', ...place, id: message, role, ...about }),
        ...parts.flatMap(({ text }, part) =>
          encode({ type: 'message.delta', run: id, id: message, part, at: 0, text }),
        ),
      ]
    })
    return [
      ...encode({ type: 'run.start', run: id, protocol: 1, ...(graph !== undefined && { graph }) }),
      ...encode({ type: 'values', run: id }),
      ...open,
      ...interruptsOf(state).flatMap(({ id: asked, value, origin }) =>
        encode({ type: 'interrupt', run: id, ns: origin.ns, id: asked, value }),
      ),
      ...(status === 'running' ? [] : encode({ type: 'run.end', run: id, status, ...(error && { error }) })),
    ]
  }

  #written(seq: number, frames: readonly AgentStreamFrame[], { from = 0, mark = '' } = {}): string {
    const { log, wants, wire, now } = this.#options
    let text = ''
    for (const [count, frame] of frames.entries()) {
      const i = from + count
      const place = frameSeq(seq, i)
      if (!wants(frame, place)) continue
      const { namespace, ...rest } = frame.params
      const params = { namespace, timestamp: now(), ...rest }
      text += wire.frame({
        type: 'event',
        event_id: `${log}.${seq}.${i}${mark}`,
        seq: place,
        method: frame.method,
        params,
      })
    }
    return text
  }
}
