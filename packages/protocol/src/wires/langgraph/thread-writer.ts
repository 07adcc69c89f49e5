import type { WireError } from '../../errors.ts'
import type { Envelope, RunEnd, RunEvent } from '../../events/event.ts'
import type { Message } from '../../messages/message.ts'
import { isWithin, type Namespace } from '../../namespace.ts'
import { createMessageWriter, type MessageWriter, type Written } from '../message-writer.ts'
import { readDict, roleOf } from './dict.ts'
import { type Fields, fieldsOf, isFields, textOf } from '../fields.ts'

/** What a decoder is told of the run whose stream it reads. */
export interface RunToRead {
  /** Our id of the run. */
  run: string
  /** Ids of the interrupts it answers; without it the run answers none. */
  resume?: readonly string[] | undefined
  /** A message that the reader has already; a copy of it in the state that says less is left out. */
  known?: ((id: string) => Message | undefined) | undefined
}

/** Writes what LangGraph tells of a thread as events; both of its protocols say the same things in other frames. */
export interface ThreadWriter {
  readonly messages: MessageWriter
  /** The events so far, which are handed over once. */
  take(): RunEvent[]
  emit(event: RunEvent): void
  envelope(
    ns: Namespace,
    place?: { node?: string | undefined; step?: number | undefined; task?: string | undefined },
  ): Envelope
  start(attempt: unknown): void
  /** A whole message; nothing when it says what is known. */
  put(dict: Fields, envelope: Envelope): void
  values(ns: Namespace, state: Fields): void
  updates(ns: Namespace, updates: Fields): void
  task(ns: Namespace, task: Fields): void
  tool(ns: Namespace, tool: Fields): void
  interrupt(ns: Namespace, id: string, value: unknown): void
  /** Ends open messages, all below `ns` or those that `isOver` picks. */
  endMessages(ns: Namespace, isOver?: (message: Written) => boolean): void
  /** Notes that the run failed; {@link ThreadWriter.end} says so. */
  fail(error: Fields): void
  /** Ends the run: as the backend says, else as what came of it tells. */
  end(status?: RunEnd['status']): void
}

/** A writer for one run. */
export function createThreadWriter({ run, resume, known }: RunToRead): ThreadWriter {
  let out: RunEvent[] = []
  let hasStarted = false
  let hasEnded = false
  let failure: WireError | undefined
  const asked = new Set<string>()
  const lists = new Map<string, ReadonlySet<string>>()
  const said = new Map<string, string>()
  const emit = (event: RunEvent) => {
    messages.leave(event)
    out.push(event)
  }
  const messages = createMessageWriter(emit)

  const envelope: ThreadWriter['envelope'] = (ns, { node, step, task } = {}) => ({
    run,
    ...(ns.length > 0 && { ns }),
    ...(node !== undefined && { node }),
    ...(step !== undefined && { step }),
    ...(task !== undefined && { task }),
  })
  const endMessages: ThreadWriter['endMessages'] = (ns, isOver = () => true) => {
    for (const id of messages.open()) {
      const written = messages.get(id)
      if (written && isWithin(written.envelope.ns ?? [], ns) && isOver(written)) messages.end(id)
    }
  }
  const put: ThreadWriter['put'] = (dict, from) => {
    const message = readDict(dict, `${run}-${said.size}`)
    if (message === undefined) return
    const { id } = message
    const json = JSON.stringify(dict)
    if (said.get(id) === json) return
    said.set(id, json)
    const written = messages.get(id)
    const before = written ? saidIn(written) : known?.(id)
    if (written?.isOpen || (before && !addsTo(before, message))) return
    emit({ ...(written?.envelope ?? from), type: 'message', message })
  }
  const interrupt: ThreadWriter['interrupt'] = (ns, id, value) => {
    if (asked.has(id)) return
    asked.add(id)
    emit({ ...envelope(ns), type: 'interrupt', id, value })
  }
  const interrupts = (ns: Namespace, list: unknown) => {
    fieldsOf(list).forEach((item, i) => {
      interrupt(ns, textOf(item['id']) ?? textOf(item['interrupt_id']) ?? `${run}-interrupt-${i}`, item['value'])
    })
  }
  /** A list of the state, its messages put. Answers its ids. */
  const list = (ns: Namespace, key: string, dicts: readonly Fields[]): string[] => {
    const ids = dicts.map((dict, i) => textOf(dict['id']) ?? `${key}-${i}`)
    dicts.forEach((dict, i) => put({ ...dict, id: ids[i] }, envelope(ns)))
    const name = [...ns, key].join('|')
    const now = new Set(ids)
    for (const id of lists.get(name) ?? []) if (!now.has(id)) emit({ ...envelope(ns), type: 'message.remove', id })
    lists.set(name, now)
    return ids
  }
  return {
    messages,
    emit,
    envelope,
    put,
    interrupt,
    endMessages,
    take() {
      const taken = out
      out = []
      return taken
    },
    start(attempt) {
      if (hasStarted) return
      hasStarted = true
      const again = typeof attempt === 'number' && attempt > 1 ? { attempt } : {}
      emit({ run, ...again, type: 'run.start', protocol: 1, ...(resume && { resume }) })
    },
    values(ns, { __interrupt__: asking, ...state }) {
      interrupts(ns, asking)
      // An interrupted run tells its question in place of the state.
      if (asking !== undefined && Object.keys(state).length === 0) return
      endMessages(ns)
      const entries = Object.entries(state)
      const isList = ([key, value]: [string, unknown]) => isMessageList(value, lists.has([...ns, key].join('|')))
      emit({
        ...envelope(ns),
        type: 'values',
        full: true,
        lists: Object.fromEntries(
          entries.filter(isList).map(([key, value]) => [key, { ids: list(ns, key, fieldsOf(value)) }]),
        ),
        set: Object.fromEntries(entries.filter((entry) => !isList(entry))),
      })
    },
    updates(ns, { __interrupt__: asking, ...updates }) {
      interrupts(ns, asking)
      for (const [node, update] of Object.entries(updates)) {
        endMessages(ns, (written) => written.envelope.node === node)
        emit({ ...envelope(ns, { node }), type: 'updates', update })
      }
    },
    task(ns, { id, name, error, interrupts: asking, ...rest }) {
      const [task, node] = [textOf(id), textOf(name)]
      if (task === undefined || node === undefined) return
      const from = { ...envelope(ns), task, node }
      const isOver = 'result' in rest || error !== undefined
      if (!isOver) {
        // A node that asked begins anew: what it made before it asked is made again.
        if (resume !== undefined) emit({ ...from, type: 'rewind', attempt: 1 })
        emit({ ...from, type: 'task.start' })
        return
      }
      endMessages(ns, (written) => written.envelope.task === task)
      const outcome = error ? 'error' : fieldsOf(asking).length > 0 ? 'interrupted' : 'ok'
      emit({ ...from, type: 'task.end', outcome, ...(error ? { error: readError(error) } : {}) })
    },
    tool(ns, { event, toolCallId, name, input, output, data, error }) {
      const from = envelope(ns)
      const id = textOf(toolCallId) ?? ''
      const call = { ...from, id, name: textOf(name) ?? '' }
      if (event === 'on_tool_start') emit({ ...call, type: 'tool.start', input: parsed(input) })
      else if (event === 'on_tool_end') emit({ ...call, type: 'tool.end', output: contentOf(output) })
      else if (event === 'on_tool_error') emit({ ...call, type: 'tool.end', error: readError(error) })
      else emit({ ...from, type: 'custom', name: 'progress', data, toolCallId: id })
    },
    fail(error) {
      failure = readError(error)
    },
    end(given = failure ? 'error' : asked.size > 0 ? 'interrupted' : 'done') {
      if (hasEnded) return
      hasEnded = true
      // LangGraph has one word for a run that asks and one that was stopped.
      const status = given === 'interrupted' && asked.size === 0 ? 'cancelled' : given
      if (status === 'done' || status === 'interrupted') endMessages([])
      emit({ run, type: 'run.end', status, ...(status === 'error' && { error: failure ?? readError({}) }) })
    },
  }
}

/** Whether a value of the state is a list of messages; an empty one only when it was before. */
export function isMessageList(value: unknown, wasList: boolean): boolean {
  if (!Array.isArray(value)) return false
  return value.length === 0
    ? wasList
    : value.every((item) => isFields(item) && 'content' in item && roleOf(item) !== undefined)
}

type Said = Pick<Message, 'content' | 'toolCalls'>

function saidIn({ parts }: Written): Said {
  return {
    content: parts.map(({ kind, text }) => (kind === 'text' ? text : '')).join(''),
    toolCalls: parts.flatMap(({ kind, callId: id, name, text: args }) => (kind === 'tool' ? { id, name, args } : [])),
  }
}

/** Whether the state's copy says something that is not known. Copies may lack what was streamed, never the text. */
function addsTo(known: Said, { content, toolCalls = [], parts = [] }: Message): boolean {
  const isKnown = toolCalls.every(({ id, name, args }) =>
    known.toolCalls?.some((call) => call.id === id && call.name === name && sameJson(call.args, args)),
  )
  return content !== known.content || !isKnown || parts.some(({ kind }) => kind !== 'text' && kind !== 'reasoning')
}

function sameJson(a: string, b: string): boolean {
  return a === b || JSON.stringify(parsed(a)) === JSON.stringify(parsed(b))
}

function parsed(text: unknown): unknown {
  try {
    return typeof text === 'string' ? (JSON.parse(text) as unknown) : text
  } catch {
    return text
  }
}

/** A tool's output: what its message says, where it answered with one. */
function contentOf(output: unknown): unknown {
  return isFields(output) && roleOf(output) === 'tool' ? output['content'] : output
}

function readError(error: unknown): WireError {
  const { message, error: name }: Fields = isFields(error) ? error : { message: error }
  return { code: 'NODE_FAILED', message: textOf(message) ?? textOf(name) ?? 'the backend does not say what failed' }
}
