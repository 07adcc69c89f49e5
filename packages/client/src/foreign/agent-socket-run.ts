import { mismatch, parseJson, PROTOCOL_VERSION, RivuletError, type RunEnd, type RunEvent } from '@rivulet/protocol'
import {
  createAgentStreamDecoder,
  eventsOfState,
  readLangGraphState,
  type RunToRead,
} from '@rivulet/protocol/wires/langgraph'
import { segment } from '../transports/http.ts'
import { openSocket, type OpenSocket, type SocketOptions } from '../transports/socket.ts'
import type { StartRequest } from '../transports/transport.ts'
import {
  cancelRun,
  CHANNELS,
  commandOf,
  restartOf,
  runIn,
  seqOf,
  unsure,
  type AgentStreamOptions,
  type CommandAnswer,
} from './agent-stream-run.ts'
import type { ForeignRun } from './sessions.ts'

/** What runs of the agent streaming protocol are reached with over a WebSocket. */
export interface AgentSocketOptions extends AgentStreamOptions, SocketOptions {
  /** Base address of the API. */
  apiUrl: string
  /** The last socket of each thread. */
  last: Map<string, LastSocket>
}

/** A socket that a thread had: a server that still keeps something of it mixes it up with the next. */
export interface LastSocket {
  /** Resolves when it is closed on both sides. */
  readonly closed: Promise<void>
  /** How often a next one has been given up since, as the server was not ready for it. */
  readonly tries: number
}

/** How often a server that is not ready for another socket is asked again; then it is taken at its word. */
const MAX_TRIES = 6
/** Threads whose last socket is remembered. */
const KEPT_THREADS = 256

/** Ids of the commands that a socket begins with. */
const SUBSCRIBE = 0
const COMMAND = 1
const AGAIN = 2
const PROBE = 3

/**
 * One run over a WebSocket of LangGraph's agent streaming protocol: commands and frames share the socket. The server
 * keeps a thread's frames no longer than its socket lives: when one is lost, the run's end is waited for, and then the
 * state takes the place of what was streamed.
 */
export function startAgentSocketRun(
  options: AgentSocketOptions,
  reading: RunToRead,
  start: StartRequest,
  assistantId: string,
): ForeignRun {
  const { thread, last } = options
  let taken: { runId: string | undefined } | undefined
  return {
    async *read(signal) {
      if (taken !== undefined) {
        yield* endOf(options, reading.run, taken.runId, signal)
        return
      }
      const command = await commandOf(options, reading, start, assistantId, signal)
      const { closed, tries = MAX_TRIES }: Partial<LastSocket> = last.get(thread) ?? {}
      await closed
      const again = start.resume === undefined ? undefined : restartOf(start, reading.resume ?? [], assistantId)
      const decoder = createAgentStreamDecoder(reading)
      const socket = openSocket(addressOf(options), options, signal)
      const note = (failedTries: number) => remember(last, thread, { closed: socket.closed, tries: failedTries })
      note(0)
      const conversation = converse(socket, command, again, tries < MAX_TRIES)
      try {
        let events: RunEvent[] = []
        for await (const texts of socket.texts) {
          for (const text of texts) {
            const { frame, answer } = conversation.hear(parseJson(text, 'socket'))
            if (answer !== undefined) taken = { runId: runIn(answer) }
            if (frame !== undefined) events.push(...decoder.push(frame))
          }
          // Whoever gets a group knows that its run was taken; its first frames may come before the answer that says so.
          if (taken === undefined) continue
          yield events
          events = []
          if (decoder.isOver) return
        }
        throw new RivuletError('DISCONNECTED', 'the socket closed before its run ended', { retryable: true })
      } catch (error) {
        if (taken === undefined && conversation.isAsked) unsure(error)
        throw error
      } finally {
        socket.close()
        if (!conversation.isAsked) note(tries + 1)
      }
    },
    cancel: (signal) => cancelRun(options, taken?.runId, signal),
  }
}

function remember(last: Map<string, LastSocket>, thread: string, socket: LastSocket): void {
  last.delete(thread)
  last.set(thread, socket)
  for (const oldest of last.keys()) if (last.size > KEPT_THREADS) last.delete(oldest)
}

/** What is said on a socket: a subscription, the command, and the other command where the server refuses the first. */
interface Conversation {
  /** Takes what the server said: a new frame of the stream, the answer to the command, or neither. */
  hear(said: unknown): { frame?: unknown; answer?: CommandAnswer }
  /** Whether the command was sent. */
  readonly isAsked: boolean
}

function converse(socket: OpenSocket, command: object, again: object | undefined, isProbing: boolean): Conversation {
  let since: number | undefined
  let isAsked = false
  const ask = () => {
    isAsked = true
    socket.send({ id: SUBSCRIBE, method: 'subscription.subscribe', params: { channels: CHANNELS } })
    socket.send({ id: COMMAND, ...command })
  }
  if (isProbing) socket.send({ id: PROBE, method: 'agent.getTree', params: {} })
  else ask()
  return {
    get isAsked() {
      return isAsked
    },
    hear(said) {
      const answer = answerIn(said)
      if (answer === undefined) {
        // What was said before may be told again: of earlier runs, and by a server that subscribes us anew for each.
        const before = since ?? 0
        const seq = seqOf(said) ?? before + 1
        since = Math.max(before, seq)
        return seq > before ? { frame: said } : {}
      }
      if (answer.id === PROBE) {
        // A run is known where none was told of: it is the last socket's, which is still being cleared away.
        if (answer.type === 'success')
          throw new RivuletError('DISCONNECTED', 'the last socket is still being closed', { retryable: true })
        ask()
        return {}
      }
      if (answer.id === SUBSCRIBE) {
        if (answer.type === 'error') throw mismatch(answer.message ?? 'nothing is streamed')
        since ??= answer.meta?.applied_through_seq ?? 0
        return {}
      }
      // On a socket that is new the server knows of no run, and takes answers as the input of one.
      if (answer.error !== 'no_such_run' || again === undefined) return { answer }
      socket.send({ id: AGAIN, ...again })
      return {}
    },
  }
}

/** A run that is under way, of which the server streams nothing to a second socket: its end is waited for. */
export function joinAgentSocketRun(options: AgentSocketOptions, run: string): ForeignRun {
  return {
    async *read(signal) {
      yield [{ type: 'run.start', run, protocol: PROTOCOL_VERSION }]
      yield* endOf(options, run, run, signal)
    },
    cancel: (signal) => cancelRun(options, run, signal),
  }
}

function addressOf({ apiUrl, thread }: AgentSocketOptions): string {
  return `${apiUrl.replace(/^http/, 'ws').replace(/\/+$/, '')}/threads/${segment(thread)}/stream/events`
}

/** The answer to a command; `undefined` for a frame of the stream. */
function answerIn(frame: unknown): CommandAnswer | undefined {
  const { type }: { type?: unknown } = Object(frame) as object
  // Its fields are read one by one.
  return type === 'success' || type === 'error' ? (frame as CommandAnswer) : undefined
}

/** How the server says that a run ended. */
const STATUSES: Readonly<Record<string, RunEnd['status']>> = {
  error: 'error',
  timeout: 'error',
  interrupted: 'cancelled',
}

/** Waits for the end of a run and tells the state that it left. */
async function* endOf(
  { http, thread }: AgentSocketOptions,
  run: string,
  runId: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly RunEvent[]> {
  if (runId === undefined) throw new RivuletError('DISCONNECTED', 'the server did not say which run it is', { run })
  const path = `/threads/${segment(thread)}`
  yield []
  await http.call(`${path}/runs/${segment(runId)}/join`, { signal })
  const { status } = await http.call<{ status: string }>(`${path}/runs/${segment(runId)}`, { signal })
  const state = readLangGraphState(await http.call(`${path}/state`, { signal }))
  const ended = state.interrupts?.length ? 'interrupted' : (STATUSES[status] ?? 'done')
  const error = ended === 'error' && { error: { code: 'NODE_FAILED', message: 'the run failed', run } as const }
  yield [...eventsOfState(state, run), { type: 'run.end', run, status: ended, ...error }]
}
