import { createSseDecoder, parseJson, RivuletError, type RunEvent } from '@rivulet/protocol'
import { createAgentStreamDecoder } from '@rivulet/protocol/wires/langgraph'
import { eventStreamOf, segment, type Http } from '../transports/http.ts'
import { errorOfResponse } from '../transports/http-error.ts'
import type { StartRequest } from '../transports/transport.ts'
import type { ForeignRun } from './sessions.ts'

/** What a run of the agent streaming protocol is reached with. */
export interface AgentStreamOptions {
  assistantId: string
  maxEventBytes?: number | undefined
}

const CHANNELS = ['values', 'updates', 'messages', 'tools', 'lifecycle', 'input', 'checkpoints', 'tasks', 'custom']

/**
 * One run over LangGraph's agent streaming protocol: a command starts it, or answers its questions, and the thread's
 * stream is read from there until it says that the run is over. A lost connection goes on behind the last `seq`.
 */
export function createAgentStreamRun(
  http: Http,
  options: AgentStreamOptions,
  thread: string,
  start: StartRequest,
  asked: readonly string[],
): ForeignRun {
  const isResuming = start.resume !== undefined
  const decoder = createAgentStreamDecoder({ run: start.run, ...(isResuming && { resume: asked }) })
  const path = `/threads/${segment(thread)}`
  let place: { runId: string | undefined; since: number } | undefined
  const command = async (signal: AbortSignal) => {
    const body = isResuming ? answerOf(start, asked) : startOf(start, options.assistantId)
    const answer = await http.call<CommandAnswer>(`${path}/commands`, { body: { id: 1, ...body }, signal })
    if (answer.type === 'error') throw errorIn(answer)
    return { runId: answer.result?.run_id, since: answer.meta?.applied_through_seq ?? 0 }
  }
  return {
    async *read(signal) {
      place ??= await command(signal)
      const body = { channels: CHANNELS, since: place.since }
      const response = await http.send(`${path}/stream/events`, { accept: 'text/event-stream', body, signal })
      if (!response.ok) throw await errorOfResponse(response)
      yield []
      const group: { events: RunEvent[]; since: number } = { events: [], since: place.since }
      const sse = createSseDecoder({
        maxEventBytes: options.maxEventBytes,
        onEvent({ event, data }) {
          const frame = parseJson(data, event)
          group.since = seqOf(frame) ?? group.since
          group.events.push(...decoder.push(frame))
        },
      })
      for await (const bytes of eventStreamOf(response, signal)) {
        sse.push(bytes)
        place = { ...place, since: group.since }
        yield group.events.splice(0)
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

function errorIn({ error = 'an error', message = error }: CommandAnswer): RivuletError {
  return new RivuletError(
    /running|busy|conflict/i.test(`${error} ${message}`) ? 'RUN_CONFLICT' : 'INVALID_INPUT',
    message,
  )
}

function startOf({ input, checkpointId, metadata, tags, recursionLimit }: StartRequest, assistantId: string): object {
  const configurable = checkpointId === undefined ? {} : { configurable: { checkpoint_id: checkpointId } }
  return {
    method: 'run.start',
    params: {
      assistant_id: assistantId,
      input,
      metadata,
      config: { tags, recursion_limit: recursionLimit, ...configurable },
      multitaskStrategy: 'reject',
    },
  }
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
