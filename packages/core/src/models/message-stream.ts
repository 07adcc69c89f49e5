import type { Message, MessageMeta, Part, Usage } from '@rivulet/protocol'
import type { Attempt } from '../runtime/attempt.ts'
import { randomId } from '../runtime/ids.ts'
import type { Streaming } from '../runtime/run-scope.ts'
import { ownMessage } from '../state/message-list.ts'
import type { ChatOptions, MessageChunk, ToolCallChunk } from './chunk.ts'

interface GrowingPart {
  readonly kind: 'text' | 'reasoning' | 'tool'
  /** What was told so far. */
  text: string
  /** First half of a surrogate pair, kept back until the second comes. */
  held: string
  callId: string
  /** Id that the provider gave the call; ours when it came too late. */
  given: string | undefined
  name: string
  /** Its number among the parts that were told, in order of their first delta; -1 before that. */
  index: number
}

/**
 * One answer of a model while it arrives: adds up the pieces and tells them as message events. Text, reasoning and each
 * tool call are parts of their own, whatever indexes the provider uses for them.
 */
export class MessageStream {
  readonly #attempt: Attempt | undefined
  readonly #options: ChatOptions
  readonly #tags: readonly string[]
  readonly #telling: boolean
  readonly #parts: GrowingPart[] = []
  #told = 0
  readonly #calls = new Map<number, GrowingPart>()
  readonly #whole: Part[] = []
  #spoken: GrowingPart | undefined
  #id: string | undefined
  #providerId: string | undefined
  #usage: Usage | undefined
  #finishReason: string | undefined
  #started = false
  #handle: Streaming | undefined
  #built: Message | undefined

  constructor(attempt: Attempt | undefined, options: ChatOptions) {
    this.#attempt = attempt
    this.#options = options
    this.#tags = [...(attempt?.tags ?? []), ...(options.tags ?? [])]
    this.#telling = attempt !== undefined && attempt.wants.messages && !attempt.hides(this.#tags)
  }

  /** The call begins; from now on what arrives of it is kept if the run is stopped. */
  begin(): void {
    if (this.#attempt === undefined) return
    this.#attempt.assertOpen('a model call was')
    this.#handle = { ns: this.#attempt.graph.ns, partial: () => this.#partial() }
    if (!this.#attempt.hides(this.#tags)) this.#attempt.graph.scope.streaming.add(this.#handle)
  }

  /** Adds a piece; with `tell` readers get it at once. */
  take(chunk: MessageChunk, tell: boolean): void {
    if (this.#attempt !== undefined) {
      this.#attempt.assertOpen('a token was')
      this.#attempt.alive()
    }
    if (chunk.id !== undefined) this.#takeId(chunk.id)
    if (chunk.reasoning) this.#append(this.#speaking('reasoning'), chunk.reasoning, tell)
    if (chunk.content) this.#append(this.#speaking('text'), chunk.content, tell)
    if (chunk.toolCallChunks !== undefined) for (const call of chunk.toolCallChunks) this.#takeCall(call, tell)
    if (chunk.parts !== undefined) this.#whole.push(...chunk.parts)
    if (chunk.usage !== undefined) this.#usage = { ...this.#usage, ...chunk.usage }
    if (chunk.finishReason !== undefined) this.#finishReason = chunk.finishReason
  }

  /** A promise while the reader is behind, and when the event loop is due for a turn. */
  room(): Promise<void> | undefined {
    if (this.#attempt === undefined) return undefined
    const { scope } = this.#attempt.graph
    return this.#telling && scope.sink.room() !== undefined ? scope.waitForRoom() : scope.turns.due()
  }

  /** The answer is complete. With `told` its pieces were; without, everything is told now. */
  end(told: boolean): void {
    // A model that ends quietly when it is aborted has not finished its answer.
    this.#attempt?.assertOpen('the end of an answer was')
    for (const part of this.#parts) {
      if (part.held !== '') this.#append(part, '', told, true)
      if (part.index === -1) this.#tell(part, 0, part.text)
    }
    const message = this.message()
    if (this.#telling) {
      this.#start()
      this.#attempt!.graph.scope.sink.emit({
        type: 'message.end',
        run: this.#attempt!.graph.scope.run,
        id: message.id,
        lengths: this.#inOrder().map(({ text }) => text.length),
        ...(this.#usage && { usage: this.#usage }),
        ...(this.#finishReason !== undefined && { finishReason: this.#finishReason }),
        ...(this.#providerId !== undefined && { providerId: this.#providerId }),
        ...(this.#whole.length > 0 && { parts: this.#whole }),
      })
      this.#attempt!.noteShown(message.id, message)
    } else if (this.#attempt?.hides(this.#tags)) this.#attempt.graph.scope.hiddenIds.add(message.id)
    this.leave()
  }

  /** The call is over, one way or another. */
  leave(): void {
    if (this.#handle === undefined) return
    const { streaming, openIds } = this.#attempt!.graph.scope
    streaming.delete(this.#handle)
    if (this.#started) openIds.delete(this.#ownId())
  }

  /** The answer as a message, complete or so far. */
  message(): Message {
    this.#built ??= ownMessage(this.#build())
    return this.#built
  }

  /** The provider's id is ours when it comes first, else an alias; neither when it names another message already. */
  #takeId(id: string): void {
    if (id === this.#id || id === this.#providerId || !this.#claims(id)) return
    if (this.#id === undefined) this.#id = id
    else this.#providerId = id
  }

  /** Whether an id is free. Claimed for good: the id of a message that is withdrawn is not used again. */
  #claims(id: string): boolean {
    if (this.#attempt === undefined) return true
    const { graph } = this.#attempt
    const { claimedIds } = graph.scope
    if (claimedIds.has(id) || graph.knownMessage(id) !== undefined) return false
    claimedIds.add(id)
    return true
  }

  #ownId(): string {
    this.#id ??= this.#attempt?.nextMessageId() ?? randomId()
    return this.#id
  }

  /** The part that text or reasoning goes on in; a change between the two begins a new one. */
  #speaking(kind: 'text' | 'reasoning'): GrowingPart {
    if (this.#spoken?.kind !== kind) this.#spoken = this.#newPart(kind)
    return this.#spoken
  }

  #newPart(kind: GrowingPart['kind']): GrowingPart {
    const part: GrowingPart = { kind, text: '', held: '', callId: '', given: undefined, name: '', index: -1 }
    this.#parts.push(part)
    return part
  }

  #takeCall({ index, id, name, args }: ToolCallChunk, tell: boolean): void {
    let part = this.#calls.get(index)
    // Some providers give every call of a turn the same index: another id is another call.
    if (part === undefined || (id !== undefined && part.given !== undefined && id !== part.given)) {
      part = this.#newPart('tool')
      this.#calls.set(index, part)
    }
    if (id !== undefined && part.given === undefined) {
      part.given = id
      if (part.callId === '') part.callId = id
    }
    if (name !== undefined && part.name === '') part.name = name
    this.#append(part, args ?? '', tell)
  }

  #append(part: GrowingPart, text: string, tell: boolean, last = false): void {
    let whole = part.held + text
    part.held = ''
    if (!last && isHighSurrogate(whole.charCodeAt(whole.length - 1))) {
      part.held = whole.slice(-1)
      whole = whole.slice(0, -1)
    }
    if (part.kind === 'tool' && part.callId === '' && part.name !== '')
      part.callId = `${this.#ownId()}.${this.#parts.indexOf(part)}`
    const at = part.text.length
    part.text += whole
    // A call is told once it can be named; its arguments wait for that.
    if (!tell || (part.kind === 'tool' && part.name === '')) return
    if (part.index === -1) this.#tell(part, 0, part.text)
    else if (whole !== '') this.#tell(part, at, whole)
  }

  #tell(part: GrowingPart, at: number, text: string): void {
    if (!this.#telling) return
    this.#start()
    const { scope } = this.#attempt!.graph
    if (part.index !== -1) {
      scope.sink.emit({ type: 'message.delta', run: scope.run, id: this.#id!, part: part.index, at, text })
      return
    }
    part.index = this.#told++
    scope.sink.emit({
      type: 'message.delta',
      run: scope.run,
      id: this.#id!,
      part: part.index,
      at,
      text,
      ...(part.kind !== 'text' && { kind: part.kind }),
      ...(part.kind === 'tool' && { callId: part.callId, name: part.name }),
    })
  }

  #start(): void {
    if (this.#started) return
    this.#started = true
    const attempt = this.#attempt!
    attempt.graph.scope.openIds.add(this.#ownId())
    attempt.graph.scope.sink.emit({
      type: 'message.start',
      ...attempt.envelope(),
      id: this.#ownId(),
      role: 'assistant',
      meta: this.#meta(),
    })
  }

  #meta(): MessageMeta {
    const { name, metadata } = this.#options
    const all = { ...this.#attempt?.metadata, ...metadata }
    const { checkpoint } = this.#attempt?.graph ?? {}
    return {
      ...(this.#tags.length > 0 && { tags: this.#tags }),
      ...(name !== undefined && { model: name }),
      ...(Object.keys(all).length > 0 && { metadata: all }),
      ...(checkpoint !== undefined && { checkpoint }),
    }
  }

  /** The parts as readers number them. */
  #inOrder(): readonly GrowingPart[] {
    return this.#parts.toSorted((a, b) => a.index - b.index)
  }

  #build(): Message {
    const parts = this.#inOrder()
    const calls = parts.filter(({ kind }) => kind === 'tool')
    const spoken: Part[] = parts.flatMap(({ kind, text }) => (kind === 'tool' ? [] : [{ kind, text }]))
    const more = this.#whole.length > 0 || spoken.some(({ kind }) => kind === 'reasoning')
    return {
      id: this.#ownId(),
      role: 'assistant',
      content: parts.map(({ kind, text }) => (kind === 'text' ? text : '')).join(''),
      ...(more && { parts: [...spoken, ...this.#whole] }),
      ...(calls.length > 0 && { toolCalls: calls.map(({ callId, name, text }) => ({ id: callId, name, args: text })) }),
      ...(this.#usage && { meta: { usage: this.#usage } }),
    }
  }

  /** What arrived, without tool calls: a call that was cut off could never be answered. */
  #partial(): Message | undefined {
    const { toolCalls: _, ...message } = this.#build()
    return message.content === '' ? undefined : { ...message, status: 'cut' }
  }
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff
}
