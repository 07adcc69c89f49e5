import type { OpenRequest, Transport } from '@rivulet/client'
import {
  emptyState,
  foldAll,
  formatCursor,
  messagesOf,
  serializeState,
  valuesOf,
  type RivuletEvent,
  type ThreadState,
} from '@rivulet/protocol'

/** One stream that a suite reads, with what it has come to. */
export class Reading {
  readonly events: RivuletEvent[] = []
  readonly #frames: AsyncIterator<RivuletEvent[]>
  readonly #stop = new AbortController()
  /** A stream is opened by its first read, so that is done at once. */
  #first: Promise<IteratorResult<RivuletEvent[]>> | undefined
  /** What was read before this stream, and on. */
  state: ThreadState

  constructor(transport: Transport, request: OpenRequest, from?: { state?: ThreadState; after?: string }) {
    this.state = from?.state ?? emptyState()
    const after = from?.after ?? cursorOf(this.state)
    this.#frames = eventsOf(transport, request, after, this.#stop.signal)
    this.#first = this.#frames.next()
    // It is told to whoever reads first.
    this.#first.catch(() => undefined)
  }

  /** The next events; `false` at the end. */
  async next(): Promise<boolean> {
    const upcoming = this.#first ?? this.#frames.next()
    this.#first = undefined
    const { done, value } = await upcoming
    if (done) return false
    this.events.push(...value)
    this.state = foldAll(this.state, value)
    return true
  }

  /** Reads on until an event of this type has come. Throws when the stream ends before. */
  async until(type: RivuletEvent['type']): Promise<void> {
    const from = this.events.length
    while (!this.events.slice(from).some((event) => event.type === type)) {
      if (!(await this.next())) throw new Error(`the stream ended before ${type}`)
    }
  }

  /** Reads to the end. */
  async all(): Promise<this> {
    while (await this.next());
    return this
  }

  /** Leaves, without waiting. */
  stop(): void {
    this.#stop.abort()
  }

  /** Leaves; resolves when the stream has ended, however it does. */
  async leave(): Promise<void> {
    this.stop()
    await this.all().catch(() => undefined)
  }
}

async function* eventsOf(
  transport: Transport,
  request: OpenRequest,
  after: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<RivuletEvent[], void> {
  for await (const frame of transport.open(request, { signal, after })) {
    if (frame.type === 'events') yield [...frame.events]
  }
}

function cursorOf({ log, cursor }: ThreadState): string | undefined {
  return log === '' ? undefined : formatCursor(log, cursor)
}

/** Everything a state says, as what can be compared. */
export function told(state: ThreadState): object {
  return { cursor: state.cursor, gap: state.gap, ...serializeState(state) }
}

/** What a page shows of a state: it does not depend on when a log was compacted or trimmed. */
export function shown(state: ThreadState): object {
  return {
    messages: messagesOf(state).map(({ role, content, status, toolCalls }) => ({ role, content, status, toolCalls })),
    values: { ...valuesOf(state), messages: undefined },
    runs: [...state.runs.values()].map(({ status }) => status),
    interrupts: [...state.interrupts.values()].map(({ value }) => value),
    gap: state.gap,
  }
}
