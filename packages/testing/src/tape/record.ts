import type { Transport } from '@rivulet/client'
import { emptyState, fold, type RivuletEvent, type ThreadState } from '@rivulet/protocol'
import { redactTape, type Redact } from './redact.ts'
import type { Tape } from './tape.ts'

/** How a recording is made. */
export interface RecordOptions {
  /** Changes every text of what people, models and tools said before it is handed out; see {@link redactTape}. */
  redact?: Redact
}

/** A transport that notes what comes over it. */
export interface Recorder {
  /** The same transport, recorded: hand it to `createClient` or `useStream`. */
  readonly transport: Transport
  /** What has come on this thread so far. Without an id: on the thread that was opened first. Empty when none was. */
  tape(thread?: string): Tape
}

/**
 * Records what comes over a transport, in a test, a page or a program: every event once, over however many connections,
 * with the snapshots that took the place of events. Nothing else changes.
 */
export function record(transport: Transport, { redact }: RecordOptions = {}): Recorder {
  const threads = new Map<string, Track>()
  const trackOf = (thread: string) => {
    const track = threads.get(thread) ?? { events: [], state: emptyState() }
    threads.set(thread, track)
    return track
  }
  return {
    transport: {
      ...transport,
      async *open(request, options) {
        const track = trackOf(request.thread)
        for await (const frame of transport.open(request, options)) {
          if (frame.type === 'events') for (const event of frame.events) note(track, event)
          yield frame
        }
      },
    },
    tape(thread = [...threads.keys()][0] ?? '') {
      const tape: Tape = { version: 1, events: [...(threads.get(thread)?.events ?? [])] }
      return redact === undefined ? tape : redactTape(tape, redact)
    },
  }
}

/** What came on one thread. */
interface Track {
  readonly events: RivuletEvent[]
  state: ThreadState
}

/** Notes what brings the thread on; what was seen before, or must wait for a missing event, does not. */
function note(track: Track, event: RivuletEvent): void {
  const before = track.state
  track.state = fold(before, event)
  if (track.state.cursor > before.cursor) track.events.push(event)
}
