import type { Message, MessageMeta, Part, Usage } from '@rivulet/protocol'
import type { MessageChunk, ToolCallChunk } from './chunk.ts'

interface GrowingPart {
  readonly kind: 'text' | 'reasoning' | 'tool'
  /** The index that the provider gives a call's pieces. */
  readonly place: number | undefined
  text: string
  /** First half of a surrogate pair, kept back until the second comes. */
  held: string
  callId: string
  /** Id that the provider gave the call; ours when it came too late or another call has it. */
  given: string | undefined
  name: string
  /** Its number among the parts, in the order in which they could first be told; -1 before that. */
  index: number
}

/** Text to append to a part. `first` on a part's first. */
export interface AnswerDelta {
  readonly part: number
  readonly at: number
  readonly text: string
  readonly first?: { readonly kind: GrowingPart['kind']; readonly callId: string; readonly name: string }
}

/** Takes what is to be told of an answer. */
export type Tell = (delta: AnswerDelta) => void

/**
 * What the chunks of one answer add up to. Text, reasoning and each tool call are parts of their own, whatever indexes
 * the provider uses for them. Does nothing but add up.
 */
export class Answer {
  readonly #callPrefix: string
  readonly #parts: GrowingPart[] = []
  #numbered = 0
  readonly #calls = new Map<number, GrowingPart>()
  readonly #whole: Part[] = []
  #spoken: GrowingPart | undefined
  #usage: Usage | undefined
  #finishReason: string | undefined
  #metadata: Readonly<Record<string, unknown>> | undefined

  /** Calls without an id of their own get one that begins with `callPrefix`. */
  constructor(callPrefix: string) {
    this.#callPrefix = callPrefix
  }

  /** Adds a well-formed chunk; what is new of the text goes to `tell`. What it adds up to is the same without. */
  take(chunk: MessageChunk, tell: Tell | undefined): void {
    if (chunk.reasoning) this.#append(this.#speaking('reasoning'), chunk.reasoning, tell)
    if (chunk.content) this.#append(this.#speaking('text'), chunk.content, tell)
    if (chunk.toolCallChunks !== undefined) for (const call of chunk.toolCallChunks) this.#takeCall(call, tell)
    if (chunk.parts !== undefined) for (const part of chunk.parts) this.#takePart(part, tell)
    if (chunk.citations !== undefined)
      for (const value of chunk.citations) this.#whole.push({ kind: 'data', name: 'citation', value })
    if (chunk.usage !== undefined) this.#usage = { ...this.#usage, ...chunk.usage }
    if (chunk.usageDelta !== undefined) this.#usage = sumOf(this.#usage, chunk.usageDelta)
    if (chunk.finishReason !== undefined) this.#finishReason = chunk.finishReason
    if (chunk.metadata !== undefined) this.#metadata = { ...this.#metadata, ...chunk.metadata }
  }

  /** Nothing more comes: what was kept back for its other half, or for a name, is told too. */
  end(tell: Tell | undefined): void {
    for (const part of this.#parts) {
      const { held, text } = part
      part.held = ''
      part.text += held
      if (part.kind === 'tool' && part.callId === '') this.#nameCall(part)
      if (part.index === -1) this.#tell(part, 0, part.text, tell)
      else if (held !== '') this.#tell(part, text.length, held, tell)
    }
  }

  /** Tells the whole answer, each part at once. */
  tellWhole(tell: Tell): void {
    for (const { index, text, kind, callId, name } of this.#inOrder())
      tell({ part: index, at: 0, text, first: { kind, callId, name } })
  }

  /** Length of each part. */
  get lengths(): readonly number[] {
    return this.#inOrder().map(({ text }) => text.length)
  }

  /** The parts that come whole. */
  get whole(): readonly Part[] {
    return this.#whole
  }

  /** What the provider says of the answer. */
  get meta(): Pick<MessageMeta, 'usage' | 'finishReason' | 'metadata'> {
    return {
      ...(this.#usage && { usage: this.#usage }),
      ...(this.#finishReason !== undefined && { finishReason: this.#finishReason }),
      ...(this.#metadata && { metadata: this.#metadata }),
    }
  }

  /** The message so far. */
  message(id: string): Message {
    const parts = this.#inOrder()
    const calls = parts.filter(({ kind }) => kind === 'tool')
    const spoken: Part[] = parts.flatMap(({ kind, text }) => (kind === 'tool' ? [] : [{ kind, text }]))
    const more = this.#whole.length > 0 || spoken.some(({ kind }) => kind === 'reasoning')
    const { meta } = this
    return {
      id,
      role: 'assistant',
      content: parts.map(({ kind, text }) => (kind === 'text' ? text : '')).join(''),
      ...(more && { parts: [...spoken, ...this.#whole] }),
      ...(calls.length > 0 && { toolCalls: calls.map(({ callId, name, text }) => ({ id: callId, name, args: text })) }),
      ...(Object.keys(meta).length > 0 && { meta }),
    }
  }

  /** The part that text or reasoning goes on in; a change between the two begins a new one. */
  #speaking(kind: 'text' | 'reasoning'): GrowingPart {
    if (this.#spoken?.kind !== kind) this.#spoken = this.#newPart(kind)
    return this.#spoken
  }

  #newPart(kind: GrowingPart['kind'], place?: number): GrowingPart {
    const part: GrowingPart = { kind, place, text: '', held: '', callId: '', given: undefined, name: '', index: -1 }
    this.#parts.push(part)
    return part
  }

  /** Text that came whole is text: what a message says stands in its content. */
  #takePart(part: Part, tell: Tell | undefined): void {
    if (part.kind !== 'text' && part.kind !== 'reasoning') this.#whole.push(part)
    else if (part.text !== '') this.#append(this.#speaking(part.kind), part.text, tell)
  }

  #takeCall({ index, id, name, args }: ToolCallChunk, tell: Tell | undefined): void {
    let part = this.#calls.get(index)
    if (part === undefined || isAnotherCall(part, id, name)) {
      const known = id === undefined ? undefined : this.#parts.find((one) => one.place === index && one.given === id)
      part = known ?? this.#newPart('tool', index)
      this.#calls.set(index, part)
    }
    if (id !== undefined && part.given === undefined) {
      part.given = id
      if (part.callId === '' && !this.#parts.some(({ callId }) => callId === id)) part.callId = id
    }
    if (name !== undefined && part.name === '') part.name = name
    if (part.callId === '' && part.name !== '') this.#nameCall(part)
    this.#append(part, args ?? '', tell)
  }

  #nameCall(part: GrowingPart): void {
    part.callId = `${this.#callPrefix}.${this.#parts.indexOf(part)}`
  }

  #append(part: GrowingPart, text: string, tell: Tell | undefined): void {
    let whole = part.held + text
    part.held = ''
    if (isHighSurrogate(whole.charCodeAt(whole.length - 1))) {
      part.held = whole.slice(-1)
      whole = whole.slice(0, -1)
    }
    const at = part.text.length
    part.text += whole
    // A call is told once it can be named; its arguments wait for that. Text waits for the half that is missing.
    if (part.kind === 'tool' ? part.name === '' : part.text === '') return
    if (part.index === -1) this.#tell(part, 0, part.text, tell)
    else if (whole !== '') this.#tell(part, at, whole, tell)
  }

  #tell(part: GrowingPart, at: number, text: string, tell: Tell | undefined): void {
    if (part.index !== -1) return tell?.({ part: part.index, at, text })
    part.index = this.#numbered++
    const { kind, callId, name } = part
    tell?.({ part: part.index, at, text, first: { kind, callId, name } })
  }

  /** The parts as readers number them, then those that could not be told yet. */
  #inOrder(): readonly GrowingPart[] {
    const place = ({ index }: GrowingPart) => (index === -1 ? this.#parts.length : index)
    return this.#parts.toSorted((a, b) => place(a) - place(b))
  }
}

/** Some providers give every call of a turn the same index: another id is another call; without ids, another name is. */
function isAnotherCall({ given, name: known }: GrowingPart, id: string | undefined, name: string | undefined): boolean {
  if (id !== undefined && given !== undefined) return id !== given
  return id === undefined && name !== undefined && known !== '' && name !== known
}

function sumOf(known: Usage = {}, added: Usage): Usage {
  const sum: Record<string, number> = { ...known }
  for (const [name, count] of Object.entries(added)) sum[name] = (sum[name] ?? 0) + count
  return sum
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff
}
