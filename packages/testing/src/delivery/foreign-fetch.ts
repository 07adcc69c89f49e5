import { emptyState, encodeSse, fold, randomId, type Frame, type RunEvent, type ThreadState } from '@rivulet/protocol'
import type { Playable } from '../pump/playable.ts'
import type { Pump } from '../pump/pump.ts'
import { createConnections, type DeliveryOptions } from './connections.ts'
import { pumpOf } from './memory-transport.ts'
import { responseOf } from './play-acts.ts'

/** Writes runs for a wire of somebody else: the encoders of `@rivulet/protocol/wires` are such. */
export interface WireEncoder {
  /** What is sent for an event: data as text, or an event's name and its data. `state` is that after the event. */
  encode(event: RunEvent, state: ThreadState): readonly (string | { event: string; data: unknown })[]
}

/** How a foreign delivery is made. */
export interface ForeignOptions extends DeliveryOptions {
  /** Thread that requests belong to, for a pump with several. Default `foreign`. */
  thread?: string
}

/**
 * A `fetch` that answers as a backend of somebody else does: every request starts the next run of the script, whose
 * events are written by an encoder, as server-sent events. For hooks and clients that are not ours: `foreignFetch(p,
 * createAiSdkEncoder)` streams to `useChat`. What such a wire has no word for is left out; nothing can be resumed.
 */
export function foreignFetch(
  source: Pump | Playable,
  createEncoder: () => WireEncoder,
  { thread = 'foreign', ...options }: ForeignOptions = {},
): typeof fetch {
  const connections = createConnections(pumpOf(source), options)
  return (_input, init = {}) => {
    const encoder = createEncoder()
    const run = randomId()
    let state = emptyState()
    const write = (frame: Frame): string => {
      if (frame.type !== 'events') return ''
      const blocks: string[] = []
      for (const event of frame.events) {
        state = fold(state, event)
        if (event.type === 'sync') continue
        for (const block of encoder.encode(event, state)) {
          const fields =
            typeof block === 'string' ? { data: block } : { event: block.event, data: JSON.stringify(block.data) }
          blocks.push(encodeSse(fields))
        }
      }
      return blocks.join('')
    }
    const text = new TextEncoder()
    const open = { thread, start: { run, graph: 'script', input: undefined } }
    const { played, close } = connections.open({ open, after: undefined }, init?.signal ?? NEVER, {
      frame: (frame) => text.encode(write(frame)),
      // Such a wire has no word for what ends the stream alone: it breaks off.
      fatal: () => new Uint8Array(),
    })
    return responseOf(played, close)
  }
}

/** A signal that nobody aborts. */
const NEVER: AbortSignal = new AbortController().signal
