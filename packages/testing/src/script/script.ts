import type { ValuesOf } from '@rivulet/client'
import type { TypedGraph, TypesOf, UntypedGraph, WireError } from '@rivulet/protocol'
import type { RawEvent, ScriptedRun, ScriptedToolCall } from './item.ts'
import type { Item } from './item.ts'

/** What a run ends with. */
export interface ScriptedEnd {
  /** Default `done`. Of any other a message that streams is left cut. */
  status?: 'done' | 'cancelled' | 'error'
  /** Of `error`: what a page is told. */
  error?: WireError
}

/** A message's id and tags; said with the first token of a message. */
export interface SayOptions {
  /** Made when left out: `<run>-message1`, `<run>-message2`. */
  id?: string
  tags?: readonly string[]
}

/**
 * A thread's stream, written down: runs one after another, and in each what it does, in order. Immutable: every method
 * gives a longer script, so a common beginning may be shared.
 *
 * Tokens make up one message of the node `agent` until something else comes. What the event model needs around it (task
 * starts and ends, offsets, lengths, the state's list of messages) is filled in when the script is played.
 */
export interface Script<G extends TypedGraph = UntypedGraph> {
  readonly runs: readonly ScriptedRun[]
  /**
   * Begins another run. With `input` (a text is a user's message) it is somebody else's and plays by itself, unless the
   * page under test starts a run first; without it, it waits for the page, whose input it takes.
   */
  run(input?: string | TypesOf<G>['input']): Script<G>
  /** Begins a run that answers what the one before it asked. It waits for the page, unless `answer` is given. */
  resume(answer?: TypesOf<G>['resume']): Script<G>
  /** Text of the answer; more of it goes to the same message. */
  token(text: string, options?: SayOptions): Script<G>
  /** Reasoning before or between the text of the same message. */
  reasoning(text: string, options?: SayOptions): Script<G>
  /**
   * The model calls a tool, and the tool runs: calls in a row are of one message and run side by side. Without `output`
   * and `error` it goes on running until {@link Script.result}.
   */
  tool(name: string, call?: Omit<ScriptedToolCall, 'name'>): Script<G>
  /** The tool that began last, or the call `tool`, is over. */
  result(output: unknown, options?: { tool?: string; error?: WireError }): Script<G>
  /** What `ctx.progress` writes; inside a tool that runs, of its call. */
  progress(data: unknown, options?: { tool?: string }): Script<G>
  /** What a node or a tool that runs writes with its writer. */
  custom(data: TypesOf<G>['custom'], options?: { name?: string; tool?: string }): Script<G>
  /** The node's step ends with this change of the state. Its message, too, enters the state. */
  values(set: ValuesOf<G>): Script<G>
  /** What follows is done by this node, in a step of its own; `ns` puts it into a subgraph. */
  node(name: TypesOf<G>['nodes'], options?: { ns?: readonly string[] }): Script<G>
  /** The attempt of the node fails: what it emitted is withdrawn, and it begins anew. */
  rewind(): Script<G>
  /** Asks a person, which ends the run: `interrupted`. {@link Script.resume} goes on. */
  interrupt(value: TypesOf<G>['interrupt'], options?: { id?: string; schema?: unknown }): Script<G>
  /** Something fails and the run goes on. */
  error(error: WireError): Script<G>
  /** Ends the run. A run without an end goes on until it is cancelled. */
  end(end?: ScriptedEnd): Script<G>
  /** Any event of the model as it is: for what the methods above have no word for. */
  event(event: RawEvent): Script<G>
}

/** What holds for all of a script. */
export interface ScriptOptions {
  /** State key of the message list. Default `messages`. */
  messagesKey?: string
}

/**
 * An empty script. `script<typeof graph>()` types input, state, node names, custom data and interrupts by the graph.
 * What comes before the first `run` belongs to a run that waits for the page.
 */
export function script<G extends TypedGraph = UntypedGraph>(options: ScriptOptions = {}): Script<G> {
  return scriptOf<G>([], options)
}

/** A script of these runs. */
export function scriptOf<G extends TypedGraph = UntypedGraph>(
  runs: readonly ScriptedRun[],
  options: ScriptOptions = {},
): Script<G> {
  const begin = (run: ScriptedRun) => scriptOf<G>([...runs, { ...options, ...run }], options)
  const add = (item: Item) => {
    const last = runs.at(-1) ?? { ...options, items: [] }
    return scriptOf<G>([...runs.slice(0, -1), { ...last, items: [...last.items, item] }], options)
  }
  return {
    runs,
    run: (input) => begin(input === undefined ? { items: [] } : { input, items: [] }),
    resume: (answer) => begin({ resumes: true, ...(answer !== undefined && { input: answer }), items: [] }),
    token: (text, options) => add({ do: 'say', kind: 'text', text, ...options }),
    reasoning: (text, options) => add({ do: 'say', kind: 'reasoning', text, ...options }),
    tool: (name, call) => add({ do: 'call', call: { name, ...call } }),
    result: (output, options) => add({ do: 'result', output, ...options }),
    progress: (data, options) => add({ do: 'custom', name: 'progress', data, ...options }),
    custom: (data, options) => add({ do: 'custom', data, ...options }),
    values: (set) => add({ do: 'values', set }),
    node: (node, options) => add({ do: 'node', node, ...options }),
    rewind: () => add({ do: 'rewind' }),
    interrupt: (value, options) => add({ do: 'interrupt', value, ...options }),
    error: (error) => add({ do: 'error', error }),
    end: ({ status = 'done', error } = {}) => add({ do: 'end', status, ...(error && { error }) }),
    event: (event) => add({ do: 'event', event }),
  }
}
