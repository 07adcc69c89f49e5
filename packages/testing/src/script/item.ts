import type { RunEvent, RunStatus, WireError } from '@rivulet/protocol'

/** One thing that a scripted run does, as it was written down. */
export type Item =
  | { do: 'say'; kind: 'text' | 'reasoning'; text: string; id?: string; tags?: readonly string[] }
  | { do: 'call'; call: ScriptedToolCall }
  | { do: 'result'; tool?: string; output?: unknown; error?: WireError }
  | { do: 'custom'; name?: string; data: unknown; tool?: string }
  | { do: 'values'; set: Readonly<Record<string, unknown>> }
  | { do: 'node'; node: string; ns?: readonly string[] }
  | { do: 'interrupt'; value: unknown; id?: string; schema?: unknown }
  | { do: 'rewind' }
  | { do: 'error'; error: WireError }
  | { do: 'end'; status: RunStatus; error?: WireError }
  | { do: 'event'; event: RawEvent }

/** A tool call with what comes of it. */
export interface ScriptedToolCall {
  name: string
  /** Made when left out: `<run>-call1`, `<run>-call2`. */
  id?: string
  /** Arguments; the model writes them as JSON text. */
  args?: unknown
  /** In how many pieces the arguments stream. Default 1. */
  slices?: number
  /** What the tool returns. Without it and without `error` the tool goes on running until `result`. */
  output?: unknown
  error?: WireError
}

/** Any event of the model, without the run: the script knows it. */
export type RawEvent = RunEvent extends infer E ? (E extends RunEvent ? Omit<E, 'run'> : never) : never

/** One run as it was written down: what begins it, and what it does. */
export interface ScriptedRun {
  /**
   * What somebody else starts this run with; the run then plays by itself. Without it, it waits until the page under
   * test starts one, and takes the page's input.
   */
  readonly input?: unknown
  /** It answers the questions that the run before it asked. With `input` it does so in any case when the page does. */
  readonly resumes?: boolean
  readonly items: readonly Item[]
  /** State key of the message list. Default `messages`. */
  readonly messagesKey?: string
  /** Its id when it plays by itself. Default: `run1`, `run2`. */
  readonly id?: string
  /** In place of items: the events of a recorded run, which get the new run's id and its input's messages. */
  readonly recorded?: readonly RunEvent[]
}
