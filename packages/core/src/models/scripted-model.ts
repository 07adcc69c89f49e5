import { RivuletError, type Message } from '@rivulet/protocol/model'
import { fromAsyncIterable, type ChatModel } from './chat-model.ts'
import type { ChatOptions, MessageChunk } from './chunk.ts'
import { systemClock, wait, type Clock } from './clock.ts'
import { chunksOf, type ScriptedAnswer, type ScriptedTurn } from './scripted-turn.ts'

/** How a scripted model speaks. */
export interface ScriptedOptions extends ChatOptions {
  /** Time before each chunk in ms. Default: none. */
  delayMs?: number
  /** Where that time passes. Default: the platform's timers. */
  clock?: Clock
}

/** One call of a scripted model, as far as it has come. */
export interface ScriptedCallRecord {
  readonly messages: readonly Message[]
  readonly options: ChatOptions
  /** Chunks handed out so far. */
  readonly said: number
  /**
   * `running` until it is `done`, has `failed`, was `aborted` by its signal, or was `left`: its reader went away.
   */
  readonly status: 'running' | 'done' | 'failed' | 'aborted' | 'left'
}

/** A model that says what a script tells it, and remembers what it was asked. */
export interface ScriptedModel extends ChatModel {
  /** The calls so far, in their order; those of models made with `with` too. */
  readonly calls: readonly ScriptedCallRecord[]
  with(options: ChatOptions): ScriptedModel
}

/**
 * A model for tests and examples: call after call it answers turn after turn, always the same, with no network and no
 * waiting. A single turn that is no list answers every call. Text comes word by word; {@link ScriptedAnswer} has slices,
 * reasoning, tool calls, usage, delays, failures and stalls. A call beyond the last turn fails with `INVALID_INPUT`.
 */
export function scriptedModel(
  turns: ScriptedTurn | readonly ScriptedTurn[],
  { delayMs = 0, clock = systemClock, ...defaults }: ScriptedOptions = {},
): ScriptedModel {
  const calls: Mutable<ScriptedCallRecord>[] = []
  const name = defaults.name ?? 'scripted'
  const model = fromAsyncIterable(
    async function* (messages, options) {
      const turn = calls.length
      const call: Mutable<ScriptedCallRecord> = { messages, options, said: 0, status: 'running' }
      calls.push(call)
      const answer = async () => answerOf(turnAt(turns, turn, name), call)
      yield* speak(call, answer, turn, { delayMs, clock })
    },
    { ...defaults, name },
  )
  return withCalls(model, calls)
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

function withCalls(model: ChatModel, calls: readonly ScriptedCallRecord[]): ScriptedModel {
  return { ...model, calls, with: (options) => withCalls(model.with(options), calls) }
}

function turnAt(turns: ScriptedTurn | readonly ScriptedTurn[], index: number, name: string): ScriptedTurn {
  // `isArray` does not see through `readonly`.
  if (!Array.isArray(turns)) return turns as ScriptedTurn
  const turn = (turns as readonly ScriptedTurn[])[index]
  if (turn !== undefined) return turn
  const how = `model "${name}" was called ${index + 1} times, its script has ${turns.length} turns`
  throw new RivuletError('INVALID_INPUT', how)
}

async function answerOf(turn: ScriptedTurn, call: ScriptedCallRecord): Promise<ScriptedAnswer> {
  const answer = typeof turn === 'function' ? await turn(call.messages, call.options) : turn
  return typeof answer === 'string' ? { text: answer } : answer
}

async function* speak(
  call: Mutable<ScriptedCallRecord>,
  ask: () => Promise<ScriptedAnswer>,
  turn: number,
  { delayMs, clock }: { delayMs: number; clock: Clock },
): AsyncGenerator<MessageChunk, void, undefined> {
  const { signal } = call.options
  const noteAbort = () => {
    if (call.status === 'running') call.status = 'aborted'
  }
  signal?.addEventListener('abort', noteAbort, { once: true })
  try {
    const answer = await ask()
    const { failAfter = Infinity, stallAfter = Infinity } = answer
    for (const chunk of chunksOf(answer, turn)) {
      if (call.said >= stallAfter) await wait(clock, Infinity, signal)
      if (call.said >= failAfter) break
      const delay = answer.delayMs ?? delayMs
      if (delay > 0) await wait(clock, delay, signal)
      signal?.throwIfAborted()
      call.said++
      yield chunk
    }
    signal?.throwIfAborted()
    if (stallAfter !== Infinity) await wait(clock, Infinity, signal)
    if (failAfter !== Infinity) throw failureOf(answer)
    call.status = 'done'
  } catch (error) {
    if (call.status === 'running') call.status = signal?.aborted ? 'aborted' : 'failed'
    throw error
  } finally {
    signal?.removeEventListener('abort', noteAbort)
    if (call.status === 'running') call.status = 'left'
  }
}

function failureOf({ error }: ScriptedAnswer): unknown {
  return error ?? new RivuletError('PROVIDER_FAILED', 'the script fails here', { retryable: true })
}
