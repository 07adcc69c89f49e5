import { inProcess, type OpenRequest, type Timing, type Transport } from '@rivulet/client'
import { memoryLog, nextTurn, RivuletError, type StreamableGraph } from '@rivulet/protocol'
import { handGate, type Gate, type Held } from '../script/gate.ts'
import { scriptGraph, type ScriptGraph } from '../script/script-graph.ts'
import { createClock, type Clock } from './clock.ts'
import { Others } from './others.ts'
import { isGraph, isPlayable, scriptsOf, type Playables } from './playable.ts'
import { settle } from './settle.ts'

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

/** What everybody may see of a stage. */
export interface StageView {
  /** The virtual clock, for `createClient({ transport, timing: pump.timing })`: retries then wait for `advance`. */
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

/** What only deliveries do to a pump. */
export interface Backstage {
  readonly open: (connection: Connection) => void
  readonly cancel: (run: string) => void
  /** Something happened: it has not settled yet. */
  readonly stir: () => void
}

const backstages = new WeakMap<Transport, Backstage>()

/** The side of a pump that deliveries report to. */
export function backstageOf({ backend }: Pick<StageView, 'backend'>): Backstage {
  const backstage = backstages.get(backend)
  if (backstage === undefined) throw new RivuletError('INVALID_INPUT', 'this is no pump of ours')
  return backstage
}

/** Threads that play their scripts, and the hands behind them. */
export interface Stage {
  readonly clock: Clock
  /** Events that wait to be let through. */
  readonly held: readonly Held[]
  /** Waits until everything has happened that needs no time. */
  readonly settled: () => Promise<void>
  /** Begins a run that plays by itself; `false` when there is none to begin. */
  readonly beginNext: (thread?: string) => boolean
  readonly view: StageView
}

/** A stage for what is to be played. With `free` timing nothing is held back; a graph never is. */
export function createStage(source: Playables | StreamableGraph, free?: Timing): Stage {
  let activity = 0
  const stir = () => void activity++
  const clock = createClock()
  const connections: Connection[] = []
  const cancelled: string[] = []
  /** Threads that somebody looked at, in order; those that were named come first. */
  const threads = new Set(isGraph(source) || isPlayable(source) ? [] : Object.keys(source))
  const gate = handGate(stir)
  const freeGate: Gate = { pass: () => nextTurn() }
  const graph: StreamableGraph & Partial<ScriptGraph> = isGraph(source)
    ? source
    : scriptGraph(scriptsOf(source), free ? freeGate : gate)
  let logs = 0
  const backend = inProcess(graph, { log: () => memoryLog({ id: `script${++logs}` }) })
  const others = new Others(backend, (thread) => graph.upcoming?.(thread))
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
    beginNext: (thread?: string) => {
      const candidates = thread === undefined ? [...threads] : [thread]
      return candidates.some((id) => others.begin(id) !== undefined)
    },
    view: { timing: free ?? clock.timing, connections, cancelled, graph, backend },
  }
}
