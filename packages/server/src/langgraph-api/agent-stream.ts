import { encodeSse, type EventLog } from '@rivulet/protocol'
import type { Deps } from '../app/deps.ts'
import { newThread } from '../app/run-routes.ts'
import type { EventStream } from '../stream/event-stream.ts'
import type { Thread } from '../threads/store.ts'
import type { AgentPlace } from './agent-commands.ts'
import { AgentTeller, type AgentTellerOptions, type AgentWire, eventBefore } from './agent-teller.ts'
import { stateAt, stateBeforeTurn } from './past.ts'
import { openPeerStream } from './peer-stream.ts'

/** What of a thread is read, from where, and how it is written. */
export interface AgentReading extends Pick<AgentTellerOptions, 'wants' | 'wire'> {
  /** `seq` of the last frame that the reader has. Default: it gets the thread's last turn from its beginning. */
  readonly since?: number | undefined
}

/** Server-sent events. */
export const serverSent: AgentWire = {
  frame: (frame) => encodeSse({ id: frame.event_id, event: frame.method, data: JSON.stringify(frame) }),
  failure: (failure) => encodeSse({ event: 'error', data: JSON.stringify(failure) }),
  comeBack: (delayMs) => encodeSse({ retry: delayMs }),
  heartbeat: encodeSse({ comment: 'heartbeat' }),
}

/** A line for each message of a socket. */
export const lines: AgentWire = {
  frame: (frame) => `${JSON.stringify(frame)}\n`,
  failure: (failure) => `${JSON.stringify(failure)}\n`,
  // Sockets have pings, and the code that they close with.
  comeBack: () => '',
  heartbeat: '',
}

/** A thread with its log; made when it is not there: these clients read it before they start its first run. */
export async function openThreadFor(
  deps: Deps,
  { tenant, thread: id }: AgentPlace,
): Promise<{ thread: Thread; log: EventLog }> {
  const { thread } = await deps.store.createThread(tenant, newThread(deps, id, {}))
  return { thread, log: await deps.store.openLog(tenant, id) }
}

/** Opens a stream of a thread, which is made when it is not there. */
export async function openAgentStream(
  deps: Deps,
  { tenant, thread: id }: AgentPlace,
  { since, wants, wire }: AgentReading,
): Promise<EventStream> {
  const { thread, log } = await openThreadFor(deps, { tenant, thread: id })
  const from = since === undefined ? await stateBeforeTurn(log) : await stateAt(log, eventBefore(since))
  const teller = new AgentTeller({ log: log.id, wants, wire, now: deps.now })
  return openPeerStream(deps, { tenant, thread, log, from, teller })
}
