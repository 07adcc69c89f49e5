import type { Message, MessageMeta } from '@rivulet/protocol'
import type { Attempt } from '../runtime/attempt.ts'
import { randomId } from '../runtime/ids.ts'
import type { Streaming } from '../runtime/run-scope.ts'
import { ownMessage } from '../state/message-list.ts'
import { Answer, type AnswerDelta, type Tell } from './answer.ts'
import type { ChatOptions, MessageChunk } from './chunk.ts'
import { isEmpty } from './read-chunk.ts'

/** One call of a model while its answer arrives: adds up the pieces and tells them as message events. */
export class MessageStream {
  readonly #attempt: Attempt | undefined
  readonly #options: ChatOptions
  readonly #tags: readonly string[]
  /** Takes what readers get; `undefined` when they get nothing. */
  readonly #tell: Tell | undefined
  /** Ours for this message if the provider's first chunk has none: taken when the call begins, whoever watches. */
  #spareId = ''
  #id: string | undefined
  #providerId: string | undefined
  #answer: Answer | undefined
  #started = false
  #handle: Streaming | undefined
  #built: Message | undefined

  constructor(attempt: Attempt | undefined, options: ChatOptions) {
    this.#attempt = attempt
    this.#options = options
    this.#tags = [...(attempt?.tags ?? []), ...(options.tags ?? [])]
    const telling = attempt !== undefined && attempt.wants.messages && !attempt.hides(this.#tags)
    this.#tell = telling ? (delta) => this.#emit(attempt, delta) : undefined
  }

  /** The call begins; from now on what arrives of it is kept if the run is stopped. */
  begin(): void {
    this.#attempt?.assertOpen('a model call was')
    this.#anew()
    if (this.#attempt === undefined) return
    this.#handle = { page: this.#attempt.graph.page, partial: () => this.#partial() }
    if (!this.#attempt.hides(this.#tags)) this.#attempt.graph.scope.streaming.add(this.#handle)
  }

  /** Adds a piece; with `tell` readers get it at once. */
  take(chunk: MessageChunk, tell: boolean): void {
    if (this.#attempt !== undefined) {
      this.#attempt.assertOpen('a token was')
      this.#attempt.alive()
    }
    // What says nothing is not the first chunk, which fixes the id.
    if (isEmpty(chunk)) return
    if (chunk.restart) this.#withdraw()
    this.#answerOf(chunk.id).take(chunk, tell ? this.#tell : undefined)
  }

  /** A promise while the reader is behind, and when the event loop is due for a turn. */
  room(): Promise<void> | undefined {
    if (this.#attempt === undefined) return undefined
    const { scope } = this.#attempt.graph
    return this.#tell !== undefined && scope.sink.room() !== undefined ? scope.waitForRoom() : scope.turns.due()
  }

  /** The answer is complete. With `told` its pieces were; without, everything is told now. */
  end(told: boolean): void {
    // A model that ends quietly when it is aborted has not finished its answer.
    this.#attempt?.assertOpen('the end of an answer was')
    const answer = this.#answerOf(undefined)
    answer.end(told ? this.#tell : undefined)
    const message = this.message()
    if (this.#tell !== undefined) {
      const attempt = this.#attempt!
      this.#start(attempt)
      if (!told) answer.tellWhole(this.#tell)
      attempt.graph.scope.sink.emit({
        type: 'message.end',
        run: attempt.graph.scope.run,
        id: message.id,
        lengths: answer.lengths,
        ...answer.meta,
        ...(this.#providerId !== undefined && { providerId: this.#providerId }),
        ...(answer.whole.length > 0 && { parts: answer.whole }),
      })
      attempt.noteShown(message.id, message)
    } else if (this.#attempt?.hides(this.#tags)) this.#attempt.graph.scope.hiddenIds.add(message.id)
    this.leave()
  }

  /** The call failed: what was told of it stays as it is, unless another call takes its place. */
  fail(error: unknown): void {
    const stopped = this.#attempt?.closed !== undefined || this.#options.signal?.aborted === true
    if (!stopped && this.#mayWithdraw(error)) this.#withdraw()
  }

  /** The call is over, one way or another. */
  leave(): void {
    if (this.#handle === undefined) return
    const { streaming, openIds } = this.#attempt!.graph.scope
    streaming.delete(this.#handle)
    if (this.#started) openIds.delete(this.#id!)
  }

  /** The answer as a message, complete or so far. */
  message(): Message {
    this.#built ??= ownMessage(this.#answerOf(undefined).message(this.#id!))
    return this.#built
  }

  #mayWithdraw(error: unknown): boolean {
    try {
      return this.#options.withdrawOn?.(error) ?? false
    } catch {
      // What the call failed with counts, not that the caller's question failed too.
      return false
    }
  }

  /** Readers forget what they were told; what comes is another message. An id is never used twice. */
  #withdraw(): void {
    if (this.#started) {
      const { graph } = this.#attempt!
      graph.scope.openIds.delete(this.#id!)
      graph.scope.sink.emit({ type: 'message.remove', ...this.#attempt!.envelope(), id: this.#id! })
    }
    this.#anew()
  }

  #anew(): void {
    this.#spareId = this.#attempt?.nextMessageId() ?? randomId()
    this.#id = undefined
    this.#providerId = undefined
    this.#answer = undefined
    this.#started = false
    this.#built = undefined
  }

  /**
   * The answer that a chunk with this id belongs to; its first chunk fixes the id of the message. A later one, or one
   * that names another message already, is an alias or nothing.
   */
  #answerOf(id: string | undefined): Answer {
    if (id !== undefined && id !== '' && id !== this.#id && id !== this.#providerId && this.#claims(id)) {
      if (this.#answer === undefined) this.#id = id
      else this.#providerId = id
    }
    this.#id ??= this.#spareId
    this.#answer ??= new Answer(this.#id)
    return this.#answer
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

  #emit(attempt: Attempt, { part, at, text, first }: AnswerDelta): void {
    this.#start(attempt)
    const { scope } = attempt.graph
    const id = this.#id!
    if (first === undefined) scope.sink.emit({ type: 'message.delta', run: scope.run, id, part, at, text })
    else {
      scope.sink.emit({
        type: 'message.delta',
        run: scope.run,
        id,
        part,
        at,
        text,
        ...(first.kind !== 'text' && { kind: first.kind }),
        ...(first.kind === 'tool' && { callId: first.callId, name: first.name }),
      })
    }
  }

  #start(attempt: Attempt): void {
    if (this.#started) return
    this.#started = true
    const id = this.#id!
    attempt.graph.scope.openIds.add(id)
    attempt.graph.scope.sink.emit({
      type: 'message.start',
      ...attempt.envelope(),
      id,
      role: 'assistant',
      meta: this.#meta(attempt),
    })
  }

  #meta(attempt: Attempt): MessageMeta {
    const { name, metadata } = this.#options
    const all = { ...attempt.metadata, ...metadata }
    const { checkpoint } = attempt.graph
    return {
      ...(this.#tags.length > 0 && { tags: this.#tags }),
      ...(name !== undefined && { model: name }),
      ...(Object.keys(all).length > 0 && { metadata: all }),
      ...(checkpoint !== undefined && { checkpoint }),
    }
  }

  /** What arrived, without tool calls: a call that was cut off could never be answered. */
  #partial(): Message | undefined {
    if (this.#answer === undefined) return undefined
    const { toolCalls: _, ...message } = this.#answer.message(this.#id!)
    return message.content === '' ? undefined : { ...message, status: 'cut' }
  }
}
