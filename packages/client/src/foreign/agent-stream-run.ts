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

const CHANNELS = ['values', 'updates', 'messages', 'tools', 'lifecycle', 'input', 'checkpoints', 'tasks', 'custom']

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
    const { http, thread } = options
    if (start.resume === undefined) await refuseWhileBusy(http, thread, signal)
    const asked = reading.resume ?? []
    return send(options, start.resume === undefined ? startOf(start, assistantId) : answerOf(start, asked), signal)
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
    async cancel(signal) {
      if (place?.runId === undefined) return
      await http.call(`${path}/runs/${segment(place.runId)}/cancel?wait=1`, { body: {}, signal })
    },
  }
}

interface CommandAnswer {
  type: 'success' | 'error'
  result?: { run_id?: string }
  meta?: { applied_through_seq?: number }
  error?: string
  message?: string
}

async function send({ http, thread }: AgentStreamOptions, command: object, signal: AbortSignal): Promise<Place> {
  const path = `/threads/${segment(thread)}/commands`
  const {
    type,
    result,
    meta,
    error = 'an error',
    message = error,
  } = await http.call<CommandAnswer>(path, {
    body: { id: 1, ...command },
    signal,
  })
  if (type === 'error') throw new RivuletError('INVALID_INPUT', message)
  return { runId: result?.run_id, since: meta?.applied_through_seq ?? 0 }
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
  const byId = Object(resume) as Readonly<Record<string, unknown>>
  const named = asked.filter((id) => Object.hasOwn(byId, id))
  const responses = named.map((id) => ({ interrupt_id: id, response: byId[id] }))
  const params = named.length > 0 ? { responses } : { interrupt_id: asked[0], response: resume }
  return { method: 'input.respond', params: { namespace: [], ...params, update: input ?? undefined } }
}

function seqOf(frame: unknown): number | undefined {
  const { seq }: { seq?: unknown } = Object(frame) as object
  return typeof seq === 'number' ? seq : undefined
}
