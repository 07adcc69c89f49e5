import { createSseDecoder, parseJson, RivuletError, type RunEvent } from '@rivulet/protocol'
import { createAgentStreamDecoder, type RunToRead } from '@rivulet/protocol/wires/langgraph'
import { eventStreamOf, segment, type Http } from '../transports/http.ts'
import { errorOfResponse } from '../transports/http-error.ts'
import type { StartRequest } from '../transports/transport.ts'
import type { ForeignRun } from './sessions.ts'

/** What runs of the agent streaming protocol are reached with. */
export interface AgentStreamOptions {
  http: Http
  thread: string
  maxEventBytes?: number | undefined
}

/** Where a run stands in its thread's stream. */
interface Place {
  runId: string | undefined
  /** `seq` of the last frame that was read. */
  since: number
  /** `seq` up to which frames are of the past: of earlier runs, and of this one before it was found. */
  catchUpTo?: number
}

/** What is asked for of a thread's stream. */
export const CHANNELS: readonly string[] = [
  'values',
  'updates',
  'messages',
  'tools',
  'lifecycle',
  'input',
  'checkpoints',
  'tasks',
  'custom',
]

/**
 * One run over LangGraph's agent streaming protocol: a command starts it, or answers its questions, and the thread's
 * stream is read from there until it says that the run is over. A lost connection goes on behind the last `seq`. The
 * server would let it wait behind a run that is under way, and its frames do not say which is which: it is refused here.
 */
export function startAgentStreamRun(
  options: AgentStreamOptions,
  reading: RunToRead,
  start: StartRequest,
  assistantId: string,
): ForeignRun {
  return createRun(options, reading, async (signal) => {
    const command = await commandOf(options, reading, start, assistantId, signal)
    return send(options, command, signal).catch(unsure)
  })
}

/** A run that is under way: what it said so far is read off screen and shown at once. */
export function findAgentStreamRun(options: AgentStreamOptions, reading: RunToRead): ForeignRun {
  return createRun(options, reading, async (signal) => {
    const { since } = await send(options, { method: 'state.get', params: {} }, signal)
    return { runId: reading.run, since: 0, catchUpTo: since }
  })
}

function createRun(
  options: AgentStreamOptions,
  reading: RunToRead,
  begin: (signal: AbortSignal) => Promise<Place>,
): ForeignRun {
  const { http, thread, maxEventBytes } = options
  const path = `/threads/${segment(thread)}`
  let decoder = createAgentStreamDecoder(reading)
  let events: RunEvent[] = []
  let place: Place | undefined
  const take = (frame: unknown, now: Place): void => {
    const seq = seqOf(frame)
    // What ended before was another run: this one is the last to begin.
    if (decoder.isOver && now.catchUpTo !== undefined && now.since < now.catchUpTo) {
      decoder = createAgentStreamDecoder(reading)
      events = []
    }
    events.push(...decoder.push(frame))
    now.since = seq ?? now.since
  }
  return {
    async *read(signal) {
      const now = (place ??= await begin(signal))
      const body = { channels: CHANNELS, since: now.since }
      const response = await http.send(`${path}/stream/events`, { accept: 'text/event-stream', body, signal })
      if (!response.ok) throw await errorOfResponse(response)
      yield []
      const sse = createSseDecoder({ maxEventBytes, onEvent: ({ event, data }) => take(parseJson(data, event), now) })
      for await (const bytes of eventStreamOf(response, signal)) {
        sse.push(bytes)
        if (now.since < (now.catchUpTo ?? 0)) continue
        yield events.splice(0)
        if (decoder.isOver) return
      }
      throw new RivuletError('DISCONNECTED', 'the stream ended before its run', { retryable: true })
    },
    cancel: (signal) => cancelRun(options, place?.runId, signal),
  }
}

/** Stops a run; nothing for one that has not begun. */
export async function cancelRun(
  { http, thread }: AgentStreamOptions,
  run: string | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (run === undefined) return
  await http.call(`/threads/${segment(thread)}/runs/${segment(run)}/cancel?wait=1`, { body: {}, signal })
}

/** What the server answers to a command. */
export interface CommandAnswer {
  type: 'success' | 'error'
  id?: number | null
  result?: { run_id?: string }
  meta?: { applied_through_seq?: number }
  error?: string
  message?: string
}

async function send({ http, thread }: AgentStreamOptions, command: object, signal: AbortSignal): Promise<Place> {
  const path = `/threads/${segment(thread)}/commands`
  const answer = await http.call<CommandAnswer>(path, { body: { id: 1, ...command }, signal })
  return { runId: runIn(answer), since: answer.meta?.applied_through_seq ?? 0 }
}

/** Id of the run that a command began. Throws why there is none. */
export function runIn({ type, result, error = 'an error', message = error }: CommandAnswer): string | undefined {
  if (type === 'error') throw new RivuletError('INVALID_INPUT', message)
  return result?.run_id
}

/** The command that starts a run, or answers its questions. Throws `RUN_CONFLICT` while another run is under way. */
export async function commandOf(
  { http, thread }: AgentStreamOptions,
  { resume: asked = [] }: RunToRead,
  start: StartRequest,
  assistantId: string,
  signal: AbortSignal,
): Promise<object> {
  if (start.resume !== undefined) return answerOf(start, asked)
  await refuseWhileBusy(http, thread, signal)
  return startOf(start, assistantId)
}

/** Nobody can tell whether the server took the run: to start it again might start it twice. */
export function unsure(error: unknown): never {
  if (!(error instanceof RivuletError) || error.code !== 'DISCONNECTED') throw error
  throw new RivuletError('DISCONNECTED', `it is not known whether the run began: ${error.message}`, { cause: error })
}

async function refuseWhileBusy(http: Http, thread: string, signal: AbortSignal): Promise<void> {
  const response = await http.send(`/threads/${segment(thread)}`, { signal })
  const { status }: { status?: unknown } = response.ok ? (Object(await response.json()) as object) : {}
  if (status === 'busy') throw new RivuletError('RUN_CONFLICT', `another run is under way on thread ${thread}`)
}

function startOf({ input, checkpointId, metadata, tags, recursionLimit }: StartRequest, assistantId: string): object {
  const configurable = checkpointId === undefined ? {} : { configurable: { checkpoint_id: checkpointId } }
  const config = { tags, recursion_limit: recursionLimit, ...configurable }
  return { method: 'run.start', params: { assistant_id: assistantId, input, metadata, config } }
}

/** Answers by the ids of their questions, or one answer to the one there is. */
function answerOf({ resume, input }: StartRequest, asked: readonly string[]): object {
  const responses = responsesOf(resume, asked)
  const named = responses.map(([id, response]) => ({ interrupt_id: id, response }))
  const params = named.length > 0 ? { responses: named } : { interrupt_id: asked[0], response: resume }
  return { method: 'input.respond', params: { namespace: [], ...params, update: input ?? undefined } }
}

/** The same answers as the input of a run, which they are on a thread that waits for them. */
export function restartOf({ resume }: StartRequest, asked: readonly string[], assistantId: string): object {
  const named = Object.fromEntries(responsesOf(resume, asked))
  const input = Object.keys(named).length > 0 ? named : { [asked[0] ?? '']: resume }
  return { method: 'run.start', params: { assistant_id: assistantId, input } }
}

function responsesOf(resume: unknown, asked: readonly string[]): [id: string, response: unknown][] {
  const byId = Object(resume) as Readonly<Record<string, unknown>>
  return asked.flatMap((id) => (Object.hasOwn(byId, id) ? [[id, byId[id]]] : []))
}

/** Place of a frame in its thread's stream. */
export function seqOf(frame: unknown): number | undefined {
  const { seq }: { seq?: unknown } = Object(frame) as object
  return typeof seq === 'number' ? seq : undefined
}
