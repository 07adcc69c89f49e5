import type { MessageChunk } from '@rivulet/core'
import type { Message } from '@rivulet/protocol'
import { writeAnswer } from './answer.ts'
import { planTurn } from './plan.ts'
import type { PlannedCall } from './planned-call.ts'
import { readTurn } from './turn.ts'

/** Time between two tokens, in milliseconds, and the longest time that one message takes to be written. */
const TOKEN_MS = 14
const MESSAGE_MS = 4000

/** What the rule-based model needs from outside. */
export interface SpeakOptions {
  /** Stops the writing at the next token: the generator throws its reason. */
  signal: AbortSignal
  /** Waits between two tokens, and rejects when the signal aborts. */
  pause: (delayMs: number, signal: AbortSignal) => Promise<void>
  /** Makes an id that is new in the thread, for a tool call. */
  makeId: () => string
}

/**
 * The rule-based model: reads the conversation, decides by rules, and writes word by word. Before the tools have run it
 * says what it will do and asks for them; afterwards it writes the answer from what they found.
 */
export async function* speakByRules(
  messages: readonly Message[],
  { signal, pause, makeId }: SpeakOptions,
): AsyncGenerator<MessageChunk, void, undefined> {
  const turn = readTurn(messages)
  const plan = turn.results.length > 0 ? undefined : planTurn(turn)
  const text = plan === undefined ? writeAnswer(turn.results) : plan.kind === 'say' ? plan.text : plan.lead
  const chunks = [
    ...tokens(text).map((content) => ({ content })),
    ...(plan?.kind === 'call' ? calls(plan.calls, makeId) : []),
  ]
  const delayMs = Math.min(TOKEN_MS, MESSAGE_MS / chunks.length)
  for (const chunk of chunks) {
    await pause(delayMs, signal)
    signal.throwIfAborted()
    yield chunk
  }
  yield { finishReason: plan?.kind === 'call' ? 'tool_calls' : 'stop' }
}

/** Words with the space before them, as models write; scripts without spaces go by a few characters. */
export function tokens(text: string): string[] {
  return text.match(/\s*\S{1,12}|\s+$/gu) ?? []
}

/** Each call in two chunks: its name first, then its arguments. */
function calls(planned: readonly PlannedCall[], makeId: () => string): MessageChunk[] {
  return planned.flatMap(({ name, args }, index) => [
    { toolCallChunks: [{ index, id: makeId(), name, args: '' }] },
    { toolCallChunks: [{ index, args: JSON.stringify(args) }] },
  ])
}
