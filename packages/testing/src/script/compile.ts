import {
  normalizeMessage,
  PROTOCOL_VERSION,
  RivuletError,
  type Message,
  type RunEvent,
  type StreamMode,
  type StreamedKind,
} from '@rivulet/protocol'
import { adoptRun } from './adopt.ts'
import type { Item, ScriptedRun, ScriptedToolCall } from './item.ts'

/** What is known of a run only when it begins. */
export interface RunContext {
  /** Id of the run. */
  run: string
  /** Name of the graph, for `run.start`. */
  graph?: string
  /** What the run was started with: `{ messages, ... }`, or a text. */
  input: unknown
  /** Ids of the interrupts it answers; with them the input says nothing. */
  resume?: readonly string[]
  modes?: readonly StreamMode[]
}

/**
 * The events of a scripted run, as the runtime would have emitted them. Pure. A run whose script has no end has no
 * `run.end`. Throws `INVALID_INPUT` for a script that makes no sense: something after its end, a result of no tool.
 */
export function compileRun(run: ScriptedRun, context: RunContext): RunEvent[] {
  if (run.recorded !== undefined) {
    const { messages } = inputOf(context.input, run.messagesKey)
    const entered = messagesIn(messages, () => `${context.run}-input`)
    return adoptRun(run.recorded, context.run, context.resume === undefined ? entered : [])
  }
  const writer = new RunWriter(context, run.messagesKey)
  writer.begin()
  const items = [...run.items]
  for (let item = items.shift(); item !== undefined; item = items.shift()) {
    if (item.do !== 'call') {
      writer.write(item)
      continue
    }
    const calls = [item.call]
    while (items[0]?.do === 'call') calls.push((items.shift() as Extract<Item, { do: 'call' }>).call)
    writer.call(calls)
  }
  return writer.events
}

interface OpenMessage {
  id: string
  lengths: number[]
  /** What the last part is. */
  kind: StreamedKind | undefined
}

/** Node whose calls `tool` runs. */
const TOOLS = 'tools'
const AGENT = 'agent'
const MESSAGES = 'messages'

/** Writes one run's events, filling in what a script leaves out. */
class RunWriter {
  readonly events: RunEvent[] = []
  readonly #context: RunContext
  readonly #messagesKey: string
  #node = AGENT
  #ns: readonly string[] | undefined
  #step = 0
  #attempt = 1
  /** Of the task under way; `undefined` between two. */
  #task: string | undefined
  #message: OpenMessage | undefined
  /** Messages that the next `values` takes into the state. */
  #made: string[] = []
  /** Tool calls that run, by id, with their tools. */
  readonly #running = new Map<string, string>()
  /** Node that called the tools. */
  #caller: string | undefined
  #counts: Record<string, number> = {}
  #isOver = false

  constructor(context: RunContext, messagesKey: string = MESSAGES) {
    this.#context = context
    this.#messagesKey = messagesKey
  }

  begin(): void {
    const { run, graph, modes, resume, input } = this.#context
    this.events.push({
      type: 'run.start',
      run,
      ...(graph !== undefined && { graph }),
      protocol: PROTOCOL_VERSION,
      ...(modes && modes.length > 0 && { modes }),
      ...(resume && { resume }),
    })
    if (resume !== undefined) return
    const { messages, set } = inputOf(input, this.#messagesKey)
    const entered = messagesIn(messages, () => this.#makeId('input'))
    for (const message of entered) this.events.push({ type: 'message', run, step: 0, message })
    const isEmpty = Object.keys(set).length === 0
    if (isEmpty && entered.length === 0) return
    const lists = { [this.#messagesKey]: { append: entered.map(({ id }) => id) } }
    this.events.push({
      type: 'values',
      run,
      step: 0,
      ...(!isEmpty && { set }),
      ...(entered.length > 0 && { lists }),
    })
  }

  write(item: Exclude<Item, { do: 'call' }>): void {
    if (this.#isOver) throw wrong(`${item.do} comes after the end of its run; begin another with run()`)
    switch (item.do) {
      case 'say':
        return this.#say(item)
      case 'result':
        return this.#result(item)
      case 'custom':
        return this.#custom(item)
      case 'values':
        // What changes the state is a step of a node.
        this.#place()
        return this.#commit(item.set)
      case 'node':
        this.#commit()
        this.#node = item.node
        this.#ns = item.ns
        this.#caller = undefined
        return
      case 'interrupt':
        return this.#interrupt(item)
      case 'rewind':
        return this.#rewind()
      case 'error':
        this.events.push({ type: 'error', ...this.#place(), error: item.error })
        return
      case 'end':
        return this.#end(item)
      default:
        this.events.push({ ...item.event, run: this.#context.run })
    }
  }

  /** Calls of one message, and their tools side by side. */
  call(calls: readonly ScriptedToolCall[]): void {
    if (this.#isOver) throw wrong('a tool is called after the end of its run; begin another with run()')
    this.#afterTools()
    const named = calls.map((call) => ({ ...call, id: call.id ?? this.#makeId('call') }))
    for (const { id, name, args = {}, slices = 1 } of named) {
      this.#part('tool', sliced(JSON.stringify(args), slices), { callId: id, name })
    }
    this.#commit()
    this.#caller ??= this.#node
    this.#node = TOOLS
    for (const { id, name, args = {} } of named) {
      this.events.push({ type: 'tool.start', ...this.#place(), id, name, input: args })
      this.#running.set(id, name)
    }
    for (const { id, output, error } of named) {
      if (output !== undefined || error !== undefined) {
        this.#result({ do: 'result', tool: id, output, ...(error && { error }) })
      }
    }
  }

  #say({ kind, text, id, tags }: Extract<Item, { do: 'say' }>): void {
    this.#afterTools()
    if (id !== undefined && this.#message !== undefined && this.#message.id !== id) this.#endMessage()
    if (this.#message === undefined) this.#startMessage(id, tags)
    this.#part(kind, [text])
  }

  #startMessage(id: string = this.#makeId('message'), tags?: readonly string[]): void {
    const meta = { checkpoint: `${this.#context.run}-checkpoint${this.#step}`, ...(tags && { tags }) }
    this.events.push({ type: 'message.start', ...this.#place(), id, role: 'assistant', meta })
    this.#message = { id, lengths: [], kind: undefined }
  }

  /** Adds text to the part under way, or begins another. A tool call is always one of its own. */
  #part(kind: StreamedKind, texts: readonly string[], call?: { callId: string; name: string }): void {
    if (this.#message === undefined) this.#startMessage()
    // Just started where there was none.
    const message = this.#message!
    const isNew = message.kind !== kind || kind === 'tool'
    if (isNew) message.lengths.push(0)
    message.kind = kind
    const part = message.lengths.length - 1
    for (const [i, text] of texts.entries()) {
      const at = message.lengths[part]!
      const first = isNew && i === 0 ? { ...(kind !== 'text' && { kind }), ...call } : undefined
      this.events.push({ type: 'message.delta', ...this.#place(), id: message.id, part, at, text, ...first })
      message.lengths[part] = at + text.length
    }
  }

  #result({ tool, output, error }: Extract<Item, { do: 'result' }>): void {
    const id = tool ?? [...this.#running.keys()].at(-1)
    const name = id === undefined ? undefined : this.#running.get(id)
    if (id === undefined || name === undefined)
      throw wrong(`a result is given, but ${tool ?? 'no tool'} is not running`)
    this.#running.delete(id)
    this.events.push({ type: 'tool.end', ...this.#place(), id, name, ...(error ? { error } : { output }) })
    const content = error?.message ?? (typeof output === 'string' ? output : JSON.stringify(output ?? null))
    const message: Message = { id: `${id}-answer`, role: 'tool', content, toolCallId: id, name }
    this.events.push({ type: 'message', ...this.#place(), message })
    this.#made.push(message.id)
  }

  #custom({ name, data, tool }: Extract<Item, { do: 'custom' }>): void {
    const toolCallId = tool ?? [...this.#running.keys()].at(-1)
    const named = { ...(name !== undefined && { name }), ...(toolCallId !== undefined && { toolCallId }) }
    this.events.push({ type: 'custom', ...this.#place(), ...named, data })
  }

  #interrupt({ value, id = this.#makeId('interrupt'), schema }: Extract<Item, { do: 'interrupt' }>): void {
    this.#afterTools()
    if (this.#message !== undefined) this.#commit()
    const place = this.#place()
    const { run } = this.#context
    this.events.push(
      { type: 'interrupt', ...place, id, value, ...(schema !== undefined && { schema }) },
      { type: 'task.end', ...place, outcome: 'interrupted', interrupts: [{ id, value }] },
      { type: 'run.end', run, status: 'interrupted', checkpoint: `${run}-checkpoint${this.#step}` },
    )
    this.#isOver = true
  }

  #rewind(): void {
    const { task, node, attempt = 1, ...place } = this.#place()
    this.events.push({ type: 'rewind', ...place, task, node, attempt })
    this.#message = undefined
    this.#made = []
    this.#running.clear()
    this.#attempt++
  }

  #end({ status, error }: Extract<Item, { do: 'end' }>): void {
    const { run } = this.#context
    const isWhole = status === 'done'
    if (isWhole) this.#commit()
    else if (this.#task !== undefined) {
      const outcome = status === 'error' ? 'error' : 'aborted'
      this.events.push({ type: 'task.end', ...this.#place(), outcome, ...(error && { error }) })
    }
    const checkpoint = `${run}-checkpoint${this.#step}`
    this.events.push({ type: 'run.end', run, status, ...(error && { error: { ...error, run } }), checkpoint })
    this.#isOver = true
  }

  /** The step ends: its message and its task, and what they made enters the state. */
  #commit(set?: Readonly<Record<string, unknown>>): void {
    this.#endMessage()
    if (this.#task !== undefined) this.events.push({ type: 'task.end', ...this.#place(), outcome: 'ok' })
    this.#task = undefined
    this.#attempt = 1
    const append = this.#made
    this.#made = []
    if (append.length === 0 && set === undefined) return
    const { run } = this.#context
    const ns = this.#ns && { ns: this.#ns }
    const lists = append.length > 0 && { lists: { [this.#messagesKey]: { append } } }
    this.events.push({ type: 'values', run, ...ns, step: this.#step, ...(set && { set }), ...lists })
  }

  #endMessage(): void {
    if (this.#message === undefined) return
    const { id, lengths } = this.#message
    this.events.push({ type: 'message.end', ...this.#place(), id, lengths })
    this.#made.push(id)
    this.#message = undefined
  }

  /** Once its tools are done, whoever called them goes on, in another step. */
  #afterTools(): void {
    if (this.#caller === undefined || this.#running.size > 0) return
    this.#commit()
    this.#node = this.#caller
    this.#caller = undefined
  }

  /** Where the next event comes from; begins a task when there is none. */
  #place() {
    const { run } = this.#context
    const node = this.#node
    const ns = this.#ns && { ns: this.#ns }
    if (this.#task === undefined) {
      this.#step++
      this.#task = this.#makeId('task')
      this.events.push({ type: 'task.start', run, ...ns, node, step: this.#step, task: this.#task })
    }
    const attempt = this.#attempt > 1 && { attempt: this.#attempt }
    return { run, ...ns, node, step: this.#step, task: this.#task, ...attempt }
  }

  #makeId(kind: string): string {
    const count = (this.#counts[kind] ?? 0) + 1
    this.#counts[kind] = count
    return `${this.#context.run}-${kind}${count}`
  }
}

/** The messages of an input, and what else of the state it sets. */
function inputOf(input: unknown, messagesKey = MESSAGES): { messages: unknown; set: Record<string, unknown> } {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return { messages: input, set: {} }
  const { [messagesKey]: messages, ...set }: Record<string, unknown> = { ...input }
  return { messages, set }
}

function messagesIn(given: unknown, makeId: () => string): Message[] {
  if (given === undefined || given === null) return []
  return (Array.isArray(given) ? given : [given]).map((item: unknown) => normalizeMessage(item, makeId))
}

/** `text` in this many pieces of about the same length, fewer when it is shorter; no surrogate pair is cut. */
function sliced(text: string, slices: number): string[] {
  const letters = Array.from(text)
  const length = Math.max(1, Math.ceil(letters.length / Math.max(1, slices)))
  const pieces: string[] = []
  for (let at = 0; at < letters.length; at += length) pieces.push(letters.slice(at, at + length).join(''))
  return pieces
}

function wrong(sentence: string): RivuletError {
  return new RivuletError('INVALID_INPUT', `the script makes no sense: ${sentence}`)
}
