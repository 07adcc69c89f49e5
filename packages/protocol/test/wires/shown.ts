import {
  createSseDecoder,
  currentRun,
  emptyState,
  encodeSse,
  foldAll,
  interruptsOf,
  messagesOf,
  valuesOf,
} from '../../src/index.ts'
import type { RunEvent, StampedEvent } from '../../src/events/event.ts'
import type { ThreadState } from '../../src/fold/state.ts'

/** Events as a log stamps them, behind `after`. */
export function stampedFrom(events: readonly RunEvent[], after = 0): StampedEvent[] {
  return events.map((event, i) => ({ ...event, seq: after + i + 1 }))
}

/** The state that events add up to; throws when something is missing between them. */
export function foldRun(events: readonly RunEvent[], before: ThreadState = emptyState()): ThreadState {
  const state = foldAll(before, stampedFrom(events, before.cursor))
  if (state.gap !== undefined) throw new Error(`event ${state.gap.seq}: ${state.gap.reason}`)
  return state
}

/** What a thread shows: all that a page, a tool or a caller reads of it, whatever it cost to find out. */
export function shown(state: ThreadState): object {
  const { messages: _messages, ...values } = valuesOf(state)
  return {
    messages: messagesOf(state).map(({ meta: _meta, ...said }) => said),
    values,
    interrupts: interruptsOf(state).map(({ id, value }) => ({ id, value })),
    tools: [...state.tools.values()].map(({ id, name, status, output }) => ({ id, name, status, output })),
    custom: state.recent.map(({ data }) => data),
    status: currentRun(state)?.status,
    error: currentRun(state)?.error?.message,
    ignored: state.ignored,
  }
}

/** A block of a foreign event stream: its data as a value, or as the very text. */
export interface Block {
  event?: string | undefined
  data?: unknown
  text?: string
}

/** The blocks as the text of an event stream. */
export function written(blocks: readonly Block[]): string {
  return blocks
    .map(({ event, data, text }, i) => encodeSse({ id: String(i), event, data: text ?? JSON.stringify(data ?? null) }))
    .join('')
}

/** Reads an event stream's text, cut into pieces of so many bytes, block by block. */
export function readStream(
  text: string,
  onBlock: (event: string, data: string) => void,
  pieceBytes: number = Infinity,
): void {
  const decoder = createSseDecoder({ onEvent: ({ event, data }) => onBlock(event, data) })
  const bytes = new TextEncoder().encode(text)
  for (let at = 0; at < bytes.length; at += pieceBytes) decoder.push(bytes.subarray(at, at + pieceBytes))
}
