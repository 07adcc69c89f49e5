import type { Frame } from '@rivulet/protocol'
import type { Closed, RetryPolicy } from '../connection/connection.ts'
import { idleHealth, type ConnectionHealth } from '../connection/health.ts'
import { keepOpen, type Received } from '../connection/keep-open.ts'
import type { Timing } from '../connection/timing.ts'
import type { OpenRequest, Transport } from '../transports/transport.ts'
import { isSameConnection, wantedConnection, type Plan, type Standing, type Wanted } from './plan.ts'

/** What a thread reaches its backend with. */
export interface Line {
  transport: Transport
  policy: RetryPolicy
  timing: Timing
  maxEventsPerSecond: number
}

/** The thread that a connector serves. */
export interface ConnectorOwner {
  plan(): Plan
  /** What to ask the transport for. */
  request(wanted: Wanted, begun: boolean): OpenRequest
  /** Cursor to go on from. */
  after(): string | undefined
  receive(frame: Frame, current: Standing): Received
  report(health: ConnectionHealth): void
  /** The connection ended by itself. */
  closed(standing: Standing, closed: Closed): void
}

/** Keeps a thread's one connection in step with its plan. */
export interface Connector {
  /** The connection there is. */
  readonly current: Standing | undefined
  /** Looks at the plan again once the caller has finished, so that what is asked for in one go is opened once. */
  schedule(): void
  /** Ends the connection; the plan decides what comes next. */
  drop(): void
}

/** A connector for this thread. It opens nothing until it is told to look at the plan. */
export function createConnector(
  { transport, policy, timing, maxEventsPerSecond }: Line,
  owner: ConnectorOwner,
): Connector {
  let current: (Standing & { controller: AbortController }) | undefined
  let isScheduled = false
  const drop = () => {
    const dropped = current
    current = undefined
    dropped?.controller.abort()
  }
  const open = (wanted: Wanted) => {
    const mine = { wanted, begun: false, controller: new AbortController() }
    current = mine
    const link = {
      heartbeatMs: transport.heartbeatMs,
      maxEventsPerSecond,
      open: (signal: AbortSignal) =>
        transport.open(owner.request(wanted, mine.begun), { signal, after: owner.after() }),
      receive: (frame: Frame): Received => owner.receive(frame, mine),
      report: (health: ConnectionHealth) => {
        if (current === mine) owner.report(health)
      },
    }
    void keepOpen(link, policy, timing, mine.controller.signal).then((closed) => {
      if (current !== mine) return
      current = undefined
      owner.closed(mine, closed)
      schedule()
    })
  }
  const reconcile = () => {
    isScheduled = false
    const plan = owner.plan()
    const wanted = wantedConnection(plan, current)
    if (isSameConnection(wanted, current?.wanted)) return
    drop()
    if (wanted !== undefined) open(wanted)
    else if (!plan.gaveUp) owner.report(idleHealth)
  }
  const schedule = () => {
    if (isScheduled) return
    isScheduled = true
    queueMicrotask(reconcile)
  }
  return {
    get current() {
      return current
    },
    schedule,
    drop,
  }
}
