import {
  isWithin,
  parseSegment,
  sameNamespace,
  taskSegment,
  type Message,
  type MessageDelta,
  type MessageEnd,
  type MessageMeta,
  type MessagePut,
  type MessageStart,
  type Namespace,
  type Part,
  type RewindTask,
  type RewindTo,
  type RunEvent,
  type RunStart,
  type Values,
} from '../../src/index.ts'

/**
 * What must be on screen after these events of one thread, found the slow and plain way: first everything that was late
 * or withdrawn is struck out, as if it had never been told; then the rest is played from the beginning. There are no
 * versions, no bases, and nothing is undone.
 */
export function interpret(events: readonly RunEvent[]): Play {
  const play = new Play()
  for (const event of whatCounts(events)) play.apply(event)
  return play
}

/** The events that count: neither late nor withdrawn, and no `rewind` of a task any more. */
export function whatCounts<E extends RunEvent>(events: readonly E[]): E[] {
  const inTime = withoutLate(events)
  const rewinds = inTime.flatMap((event, i) => (isRewindTask(event) ? [{ event, i }] : []))
  return inTime.filter(
    (event, i) => !isRewindTask(event) && !rewinds.some((rewind) => rewind.i > i && withdraws(rewind.event, event)),
  )
}

/** Events of a run after its end do not count, until it begins again with a higher attempt. */
function withoutLate<E extends RunEvent>(events: readonly E[]): E[] {
  const runs = new Map<string, { attempt: number; ended: boolean }>()
  return events.filter((event) => {
    const known = runs.get(event.run) ?? { attempt: 0, ended: false }
    const { attempt = 1 } = event
    const begins = event.type === 'run.start' && attempt > known.attempt
    if (known.ended && !begins) return false
    runs.set(event.run, { attempt: begins ? attempt : known.attempt, ended: event.type === 'run.end' })
    return true
  })
}

function isRewindTask(event: RunEvent): event is RewindTask {
  return event.type === 'rewind' && !('to' in event)
}

const SHOWN: readonly string[] = ['message.start', 'message.delta', 'message.end', 'message', 'tool.start', 'tool.end']
const EMITTED = new Set([...SHOWN, 'custom', 'interrupt'])

function withdraws(rewind: RewindTask, event: RunEvent): boolean {
  const { ns = [] } = event
  const below = [...(rewind.ns ?? []), taskSegment(rewind.node, rewind.task)]
  if (isWithin(ns, below)) return event.type !== 'error'
  const same = event.task === rewind.task && (event.attempt ?? 1) === rewind.attempt
  return EMITTED.has(event.type) && same && sameNamespace(ns, rewind.ns ?? [])
}

interface Streamed {
  kind: 'text' | 'reasoning' | 'tool'
  text: string
  callId: string
  name: string
}

/** A message as it stands, and who wrote it last. */
interface Card {
  id: string
  by: MessageStart | MessagePut
  /** Of a message that streams or streamed; of one put whole the message itself. */
  parts: Streamed[]
  whole: Message | undefined
  end: MessageEnd | undefined
  status: 'streaming' | 'done' | 'cut'
  /** Messages that a `values` settled under this id, and where: the last is the newest. */
  settled: { ns: Namespace; message: Message }[]
  /** Where a `values` settled it since it was written last. */
  settledIn: Namespace[]
}

/** What a namespace shows. */
interface Page {
  ns: Namespace
  values: Record<string, unknown>
  lists: Map<string, string[]>
  /** In no list, in order of arrival. */
  waiting: string[]
  /** Of these, the ones that are not shown. */
  aside: Set<string>
}

interface ToolCard {
  status: string
  output: unknown
  error: unknown
  run: string
  task: string | undefined
}

interface TaskCard {
  node: string
  status: string
  step: number | undefined
  ns: Namespace
}

/** A thread as a viewer sees it, played from its first event. */
export class Play {
  readonly #cards = new Map<string, Card>()
  readonly #names = new Map<string, string>()
  readonly #pages = new Map<string, Page>()
  readonly runs: Map<string, { status: string; attempt: number }> = new Map()
  readonly tools: Map<string, ToolCard> = new Map()
  readonly tasks: Map<string, TaskCard> = new Map()
  readonly interrupts: Map<string, unknown> = new Map()
  customs: { task: string | undefined; name: string | undefined; call: string | undefined; data: unknown }[] = []
  /** Customs since the last fresh run that are kept by writer. */
  progress: Play['customs'] = []
  errors = 0

  apply(event: RunEvent): void {
    switch (event.type) {
      case 'run.start':
        return this.#runStart(event)
      case 'run.end':
        return this.#runEnd(event.run, event.status)
      case 'message.start':
        return this.#start(event)
      case 'message.delta':
        return this.#delta(event)
      case 'message.end':
        return this.#end(event)
      case 'message':
        return this.#put(event)
      case 'message.remove':
        return this.#remove(this.#ours(event.id), this.#page(event.ns))
      case 'values':
        return this.#values(event)
      case 'rewind':
        return 'to' in event ? this.#goTo(event) : undefined
      case 'interrupt':
        this.interrupts.set(event.id, event.value)
        return
      case 'error':
        this.errors++
        return
      default:
        return this.#activity(event)
    }
  }

  /** Ids on the page of a namespace, in order. */
  ids(ns: Namespace = [], key = 'messages'): string[] {
    const page = this.#pages.get(ns.join('|'))
    if (page === undefined) return []
    return [...(page.lists.get(key) ?? []), ...page.waiting.filter((id) => !page.aside.has(id))]
  }

  namespaces(): Namespace[] {
    return [...this.#pages.values()].map(({ ns }) => ns)
  }

  values(ns: Namespace): Record<string, unknown> {
    const page = this.#pages.get(ns.join('|'))
    if (page === undefined) return {}
    const lists = [...page.lists].map(([key, ids]) => [key, ids.flatMap((id) => this.message(id) ?? [])])
    return { ...page.values, ...Object.fromEntries(lists) }
  }

  /** Every id that is still there, on a page or set aside. */
  all(): string[] {
    return [...this.#cards.keys()]
  }

  message(id: string): Message | undefined {
    const card = this.#cards.get(this.#ours(id))
    return card && (card.whole ?? spoken(card))
  }

  #ours(id: string): string {
    return this.#cards.has(id) ? id : (this.#names.get(id) ?? id)
  }

  #page(ns: Namespace = []): Page {
    const key = ns.join('|')
    let page = this.#pages.get(key)
    if (page === undefined)
      this.#pages.set(key, (page = { ns, values: {}, lists: new Map(), waiting: [], aside: new Set() }))
    return page
  }

  #runStart({ run, attempt = 1, resume }: RunStart): void {
    this.runs.set(run, { status: 'running', attempt })
    const goesOn = resume !== undefined || attempt > 1
    for (const [id, task] of this.tasks) if (!goesOn || task.status === 'running') this.tasks.delete(id)
    for (const id of resume ?? []) this.interrupts.delete(id)
    if (goesOn) return
    for (const tool of this.tools.values())
      if (tool.status === 'running' && this.runs.get(tool.run)?.status !== 'running') tool.status = 'cut'
    this.interrupts.clear()
    this.progress = this.progress.filter(({ call }) => call !== undefined)
    for (const [key, { ns }] of this.#pages) if (ns.length > 0) this.#pages.delete(key)
    const root = this.#page()
    root.waiting = root.waiting.filter((id) => !root.aside.has(id))
    root.aside.clear()
    this.#sweep()
  }

  #runEnd(run: string, status: string): void {
    this.runs.set(run, { attempt: 1, ...this.runs.get(run), status })
    for (const card of this.#cards.values()) {
      if (card.status === 'streaming' && card.by.run === run) card.status = 'cut'
    }
    for (const tool of this.tools.values()) {
      const waits = status === 'interrupted' && this.tasks.get(tool.task ?? '')?.status === 'interrupted'
      if (tool.status === 'running' && tool.run === run && !waits) tool.status = 'cut'
    }
    for (const task of this.tasks.values()) if (task.status === 'running') task.status = 'aborted'
  }

  #start(event: MessageStart): void {
    const id = this.#ours(event.id)
    this.#arrive(id, event, { parts: [], whole: undefined, end: undefined, status: 'streaming' })
  }

  #delta({ id, part, at, text, kind = 'text', callId = '', name = '' }: MessageDelta): void {
    const { parts } = this.#cards.get(this.#ours(id))!
    const known = (parts[part] ??= { kind, text: '', callId, name })
    known.text = known.text.slice(0, at) + text
  }

  #end(event: MessageEnd): void {
    const id = this.#ours(event.id)
    Object.assign(this.#cards.get(id)!, { end: event, status: 'done' })
    if (event.providerId !== undefined) this.#names.set(event.providerId, id)
  }

  #put(event: MessagePut): void {
    const id = this.#ours(event.message.id)
    const { ns = [], message } = event
    const held = this.#cards.get(id)?.settled.findLast((one) => isWithin(ns, one.ns))?.message
    const meta = { ...envelopeMeta(event), ...message.meta }
    const whole = held && repeats(held, message) ? held : ({ ...message, id, status: 'done', meta } as const)
    this.#arrive(id, event, { parts: [], whole, end: undefined, status: 'done' })
  }

  #arrive(id: string, by: Card['by'], as: Pick<Card, 'parts' | 'whole' | 'end' | 'status'>): void {
    const { settled = [] } = this.#cards.get(id) ?? {}
    this.#cards.set(id, { id, by, ...as, settled, settledIn: [] })
    const page = this.#page(by.ns)
    page.aside.delete(id)
    const listed = [...page.lists.values()].flat()
    if (listed.includes(id) || page.waiting.includes(id)) return
    const after = by.type === 'message' ? by.after : undefined
    const place = page.waiting.indexOf(after ?? '')
    if (after === undefined || (place === -1 && !listed.includes(after))) page.waiting.push(id)
    else page.waiting.splice(place + 1, 0, id)
  }

  #remove(id: string, page: Page): void {
    for (const [key, ids] of page.lists) {
      page.lists.set(
        key,
        ids.filter((other) => other !== id),
      )
    }
    page.waiting = page.waiting.filter((other) => other !== id)
    this.#sweep()
  }

  /** A message that no page names is gone. */
  #sweep(): void {
    const named = new Set(
      [...this.#pages.values()].flatMap(({ lists, waiting }) => [...lists.values(), waiting].flat()),
    )
    for (const id of this.#cards.keys()) if (!named.has(id)) this.#cards.delete(id)
    for (const [name, id] of this.#names) if (!this.#cards.has(id)) this.#names.delete(name)
  }

  #values(event: Values): void {
    const page = this.#page(event.ns)
    if (event.full) page.values = {}
    Object.assign(page.values, event.set)
    for (const key of event.unset ?? []) delete page.values[key]
    const before = [...page.lists.values()].flat()
    const known = new Map(page.lists)
    if (event.full) page.lists.clear()
    for (const [key, change] of Object.entries(event.lists ?? {})) {
      const told = 'append' in change ? [...(known.get(key) ?? []), ...change.append] : change.ids
      page.lists.set(key, [...new Set(told.map((id) => this.#ours(id)))])
    }
    const now = [...page.lists.values()].flat()
    page.waiting = page.waiting.filter((id) => !now.includes(id))
    for (const id of now) page.aside.delete(id)
    page.waiting.push(...before.filter((id) => !now.includes(id) && this.#cards.has(id)))
    for (const id of [...now, ...page.waiting]) this.#settle(event, page, this.#cards.get(id))
  }

  #settle(event: Values, page: Page, card: Card | undefined): void {
    if (card === undefined || card.status === 'streaming') return
    const { by } = card
    const ns = by.ns ?? []
    if (!isWithin(ns, page.ns)) return
    if (card.settledIn.some((one) => isWithin(page.ns, one))) return
    const inside = ns[page.ns.length]
    const task = this.tasks.get(inside === undefined ? (by.task ?? '') : parseSegment(inside).task)
    const ofEarlierRun = by.run !== event.run && task === undefined
    if (!ofEarlierRun && (task?.status === 'running' || task?.status === 'interrupted')) return
    const step = inside === undefined ? by.step : task?.step
    const ownStep = !ofEarlierRun && step !== undefined && event.step !== undefined
    if (ownStep && step > event.step!) return
    card.settledIn.push(page.ns)
    card.settled.push({ ns: page.ns, message: this.message(card.id)! })
    if (ownStep && page.lists.size > 0 && page.waiting.includes(card.id)) page.aside.add(card.id)
  }

  #goTo({ state, run, task, step }: RewindTo): void {
    const before = new Map([...this.#cards.keys()].map((id) => [id, this.message(id)!]))
    const ids = new Map(state.messages.map(({ id }) => [id, this.#ours(id)]))
    const lists = Object.entries(state.lists).map(([key, list]) => [key, list.map((id) => this.#ours(id))] as const)
    this.#pages.clear()
    this.#cards.clear()
    this.tasks.clear()
    this.interrupts.clear()
    for (const given of state.messages) {
      const id = ids.get(given.id)!
      const known = before.get(id)
      const message =
        known && known.status !== 'streaming' && sameWords(known, given)
          ? known
          : ({ status: 'done', ...given, id } as const)
      const by = { type: 'message', run, message, ...(task && { task }), ...(step !== undefined && { step }) } as const
      const settled = [{ ns: [], message }]
      const card = { id, by, parts: [], whole: message, end: undefined, settled, settledIn: [[]] }
      this.#cards.set(id, { ...card, status: message.status === 'cut' ? 'cut' : 'done' })
      // What comes back after it was removed is known by its provider's name again.
      if (given.meta?.providerId !== undefined) this.#names.set(given.meta.providerId, id)
    }
    const answered = new Set(state.messages.map(({ toolCallId }) => toolCallId))
    for (const id of this.tools.keys()) if (!answered.has(id)) this.tools.delete(id)
    this.progress = this.progress.filter(({ call }) => call !== undefined && answered.has(call))
    Object.assign(this.#page(), { values: { ...state.values }, lists: new Map(lists) })
    this.#sweep()
  }

  #activity(event: RunEvent): void {
    const { run, task } = event
    if (event.type === 'task.start' || event.type === 'task.end') {
      const status = event.type === 'task.start' ? 'running' : event.outcome
      this.tasks.set(event.task, { node: event.node, status, step: event.step, ns: event.ns ?? [] })
    } else if (event.type === 'tool.start') {
      this.tools.set(event.id, { status: 'running', output: undefined, error: undefined, run, task })
    } else if (event.type === 'tool.end') {
      const { output, error } = event
      this.tools.set(event.id, { status: error ? 'error' : 'done', output, error, run, task })
    } else if (event.type === 'custom') {
      const written = { task, name: event.name, call: event.toolCallId, data: event.data }
      this.customs.push(written)
      this.progress.push(written)
    }
  }
}

function envelopeMeta({ run, node, step, ns, task, attempt }: RunEvent): MessageMeta {
  const meta = { run, node, step, namespace: ns, task, attempt: attempt === 1 ? undefined : attempt }
  return Object.fromEntries(Object.entries(meta).filter(([, value]) => value !== undefined))
}

/** The message that a streamed card amounts to. */
function spoken({ id, by, parts, end, status }: Card): Message {
  if (by.type === 'message') throw new Error('a message that was put whole is not spoken')
  const said = parts.filter(({ kind }) => kind !== 'tool')
  const calls = parts.filter(({ kind }) => kind === 'tool')
  const extra = end?.parts ?? []
  const isPlain = extra.length === 0 && said.every(({ kind }) => kind === 'text')
  const { usage, finishReason, providerId, metadata } = end ?? {}
  return {
    id,
    role: by.role,
    content: said.map(({ kind, text }) => (kind === 'text' ? text : '')).join(''),
    ...(!isPlain && { parts: [...said.map(({ kind, text }) => ({ kind, text }) as Part), ...extra] }),
    ...(calls.length > 0 && { toolCalls: calls.map(({ callId, name, text }) => ({ id: callId, name, args: text })) }),
    status,
    meta: {
      ...by.meta,
      ...envelopeMeta(by),
      ...(usage && { usage }),
      ...(finishReason && { finishReason }),
      ...(providerId && { providerId }),
      ...(metadata && { metadata: { ...by.meta?.metadata, ...metadata } }),
    },
  }
}

function sameWords(a: Message, b: Message): boolean {
  const words = (m: Message) => JSON.stringify([m.role, m.content, m.parts, m.toolCalls, m.toolCallId, m.name])
  return words(a) === words(b)
}

function repeats(held: Message, said: Message): boolean {
  return sameWords(held, said) && said.status === undefined && said.meta === undefined
}
