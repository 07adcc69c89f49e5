import { inProcess, type OpenRequest, type Timing, type Transport } from '@rivulet/client'
import { memoryLog, RivuletError, type RunEvent, type StreamableGraph } from '@rivulet/protocol'
import { handGate, type Gate, type Held } from '../script/gate.ts'
import { scriptGraph, type ScriptGraph } from '../script/script-graph.ts'
import { scriptOf, type Script } from '../script/script.ts'
import { scriptOfTape } from '../tape/script-of-tape.ts'
import type { Tape } from '../tape/tape.ts'
import { createClock } from './clock.ts'
import { settle, tickFakeTimers } from './settle.ts'
import { nextTurn } from './turn.ts'

/** What can be played: a script that was written, or a tape that was recorded. */
export type Playable = Script | Tape

/** One stream that was opened over a delivery. */
export interface Connection {
  readonly thread: string
  /** The run it starts; `undefined` when it only reads. */
  readonly start: OpenRequest['start']
  /** Cursor it goes on from. */
  readonly after: string | undefined
  /** Whether it is still read and has not been closed. */
  readonly isOpen: boolean
}

/** Which thread is meant, when there are several. */
export interface PumpOptions {
  thread?: string
}

/**
 * Holds back what a script says until the test lets it through. Between two calls nothing happens and no time passes.
 * Deliveries (`memoryTransport`, `mswHandlers`, `serveScript`) bring it to a page; several may play the same threads.
 *
 * Every call waits until all has settled. With fake timers (vitest, jest, Sinon) a frame of 16 ms passes, too, so that a
 * page that draws once a frame has drawn. Over a real socket arrival is the system's affair: wait for what must appear.
 */
export interface Pump {
  /** Lets one event through; `undefined` when nothing waits. */
  next(options?: PumpOptions): Promise<RunEvent | undefined>
  /** Lets events through up to and with the first of this type, or that fits. Throws `INVALID_INPUT` when none comes. */
  until(wanted: RunEvent['type'] | ((event: RunEvent) => boolean), options?: PumpOptions): Promise<RunEvent>
  /** Lets everything through that the script says before it waits for the page. */
  drain(options?: PumpOptions): Promise<readonly RunEvent[]>
  /** Moves time on: the delays of faults, those of a client that was given `timing`, and fake timers. Releases no event. */
  advance(ms: number): Promise<void>
  /** Waits until all has settled, and lets nothing through. */
  settle(): Promise<void>
  /** The virtual clock, for `createClient({ transport, timing: pump.timing })`: retries then wait for {@link Pump.advance}. */
  readonly timing: Timing
  /** Streams that were opened, in order. */
  readonly connections: readonly Connection[]
  /** Ids of the runs that were cancelled over a delivery, in order. */
  readonly cancelled: readonly string[]
  /** The script as a graph, for a server or a transport of one's own. Held back as everything else. */
  readonly graph: StreamableGraph
  /** The backend that deliveries reach, without a wire. */
  readonly backend: Transport
}

/** A frame of a page drawn 60 times a second, in milliseconds. */
const FRAME_MS = 16

/**
 * A pump for a script or a tape, which every thread plays from its beginning, or for several by thread id; a thread that
 * is not among them is empty. It opens nothing and starts no timer.
 */
export function pump(source: Playable | Readonly<Record<string, Playable>>): Pump {
  const stage = createStage(source)
  const { held } = stage
  const takeOne = async ({ thread }: PumpOptions): Promise<RunEvent | undefined> => {
    const find = (): Held | undefined => held.find((one) => thread === undefined || one.thread === thread)
    let found = find()
    if (found === undefined && stage.beginNext(thread)) {
      await stage.settled()
      found = find()
    }
    found?.release()
    if (found !== undefined) await stage.settled()
    return found?.event
  }
  const painted = async () => {
    await tickFakeTimers(FRAME_MS)
    await stage.settled()
  }
  const play = async (options: PumpOptions, isLast: (event: RunEvent) => boolean): Promise<RunEvent[]> => {
    await stage.settled()
    const played: RunEvent[] = []
    for (let event = await takeOne(options); event !== undefined; event = await takeOne(options)) {
      played.push(event)
      if (isLast(event)) break
    }
    await painted()
    return played
  }
  return {
    ...stage.shown,
    next: async (options = {}) => (await play(options, () => true))[0],
    async until(wanted, options = {}) {
      const isWanted = typeof wanted === 'string' ? ({ type }: RunEvent) => type === wanted : wanted
      const played = await play(options, isWanted)
      const last = played.at(-1)
      if (last !== undefined && isWanted(last)) return last
      const told = played.map(({ type }) => type).join(', ') || 'nothing'
      const what = typeof wanted === 'string' ? wanted : 'the event that was waited for'
      throw new RivuletError('INVALID_INPUT', `${what} never came; the script said ${told} and then waits or is over`)
    },
    drain: (options = {}) => play(options, () => false),
    async advance(ms) {
      await stage.settled()
      await stage.clock.advance(ms, async (passedMs) => {
        await tickFakeTimers(passedMs)
        await stage.settled()
      })
    },
    async settle() {
      await stage.settled()
      await painted()
    },
  }
}

/** A pump that holds nothing back: what a delivery plays when it is given a script alone. Time is the platform's. */
export function freePump(source: Playable, timing: Timing): Pump {
  const stage = createStage(source, timing)
  const nothing = () => Promise.resolve(undefined)
  return {
    ...stage.shown,
    next: nothing,
    until: () => Promise.reject(new RivuletError('INVALID_INPUT', 'a script that plays by itself cannot be waited on')),
    drain: () => Promise.resolve([]),
    advance: nothing,
    settle: () => stage.settled(),
  }
}

/** What only deliveries do to a pump. */
export interface Backstage {
  readonly open: (connection: Connection) => void
  readonly cancel: (run: string) => void
  /** Something happened: it has not settled yet. */
  readonly stir: () => void
}

const backstages = new WeakMap<Pump['backend'], Backstage>()

/** The side of a pump that deliveries report to. */
export function backstageOf({ backend }: Pump): Backstage {
  const backstage = backstages.get(backend)
  if (backstage === undefined) throw new RivuletError('INVALID_INPUT', 'this is no pump of ours')
  return backstage
}

/** Whether a delivery was given a pump, and not what to play. */
export function isPump(source: Pump | Playable): source is Pump {
  return 'backend' in source
}

/** Threads that play their scripts, and what is known of them. With `free` timing nothing is held back. */
function createStage(source: Playable | Readonly<Record<string, Playable>>, free?: Timing) {
  let activity = 0
  const stir = () => void activity++
  const clock = createClock()
  const connections: Connection[] = []
  const cancelled: string[] = []
  /** Threads that somebody looked at, in order; those that were named come first. */
  const threads = new Set(isPlayable(source) ? [] : Object.keys(source))
  const gate = handGate(stir)
  const freeGate: Gate = { pass: () => nextTurn() }
  const graph = scriptGraph(scriptsOf(source), free ? freeGate : gate)
  let logs = 0
  const backend = inProcess(graph, { log: () => memoryLog({ id: `script${++logs}` }) })
  const others = new Others(backend, graph)
  const settled = () => settle(() => activity)
  backstages.set(backend, {
    open(connection) {
      stir()
      connections.push(connection)
      threads.add(connection.thread)
      if (free && connection.start === undefined) void others.playAll(connection.thread)
    },
    cancel: (run) => void cancelled.push(run),
    stir,
  })
  return {
    clock,
    held: gate.held,
    settled,
    /** Begins a run that plays by itself; `false` when there is none to begin. */
    beginNext: (thread?: string) => {
      const candidates = thread === undefined ? [...threads] : [thread]
      return candidates.some((id) => others.begin(id) !== undefined)
    },
    shown: { timing: free ?? clock.timing, connections, cancelled, graph, backend },
  }
}

/** Everybody else who starts runs on these threads. */
class Others {
  readonly #backend: Transport
  readonly #graph: ScriptGraph
  /** Threads whose run of ours is under way. */
  readonly #busy = new Set<string>()
  readonly #counts = new Map<string, number>()

  constructor(backend: Transport, graph: ScriptGraph) {
    this.#backend = backend
    this.#graph = graph
  }

  /** Begins the thread's next run when that plays by itself. Resolves at its end, with `false` when it was refused. */
  begin(thread: string): Promise<boolean> | undefined {
    const upcoming = this.#graph.upcoming(thread)
    if (upcoming?.input === undefined || this.#busy.has(thread)) return undefined
    this.#busy.add(thread)
    const count = (this.#counts.get(thread) ?? 0) + 1
    this.#counts.set(thread, count)
    const { input, resumes, id = `run${count}` } = upcoming
    const start = { run: id, graph: 'script', ...(resumes ? { input: undefined, resume: input } : { input }) }
    return this.#watch(thread, start)
  }

  /** Plays one run after another until the next one waits for the page. */
  async playAll(thread: string): Promise<void> {
    while (await this.begin(thread));
  }

  async #watch(thread: string, start: NonNullable<OpenRequest['start']>): Promise<boolean> {
    const { signal } = new AbortController()
    try {
      for await (const _frame of this.#backend.open({ thread, start }, { signal, after: undefined }));
      return true
    } catch {
      // While the page's own run is under way.
      return false
    } finally {
      this.#busy.delete(thread)
    }
  }
}

function scriptsOf(source: Playable | Readonly<Record<string, Playable>>): (thread: string) => Script {
  if (isPlayable(source)) {
    const only = asScript(source)
    return () => only
  }
  const byThread = new Map(Object.entries(source).map(([thread, playable]) => [thread, asScript(playable)]))
  const nothing = scriptOf([])
  return (thread) => byThread.get(thread) ?? nothing
}

function isPlayable(source: Playable | Readonly<Record<string, Playable>>): source is Playable {
  return Array.isArray('runs' in source ? source.runs : source['events'])
}

function asScript(playable: Playable): Script {
  return 'runs' in playable ? playable : scriptOfTape(playable)
}
