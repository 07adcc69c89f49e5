import type { Envelope, RunEvent, StreamedKind } from '../events/event.ts'
import type { MessageMeta, Part, Role, Usage } from '../messages/message.ts'

/** What is known of a message when it begins. */
export interface MessageHead {
  id: string
  role: Role
  name?: string
  toolCallId?: string
  meta?: MessageMeta
}

/** What is known of a message at its end. */
export interface MessageTail {
  usage?: Usage
  finishReason?: string
  /** Parts that come whole. */
  parts?: readonly Part[]
}

/** One growing part of a message, as it was told so far. */
export interface WrittenPart {
  readonly kind: StreamedKind
  readonly text: string
  /** Of a tool call. */
  readonly callId: string
  readonly name: string
}

/** What was written of a message: its parts, and whether it may still grow. */
export interface Written {
  readonly envelope: Envelope
  readonly parts: readonly WrittenPart[]
  readonly isOpen: boolean
}

/** Writes messages that stream as events, and counts the parts and lengths that other wires do not tell. */
export interface MessageWriter {
  /** Begins a message; nothing when it is open. */
  start(head: MessageHead, envelope: Envelope): void
  /**
   * Appends to the part that the wire calls `key`, which is begun by its first text. Half of a surrogate pair at the end
   * waits for its other half.
   */
  append(id: string, key: string, text: string, begun?: { kind?: StreamedKind; callId?: string; name?: string }): void
  /** Notes for the end what is known of it sooner. */
  note(id: string, tail: MessageTail): void
  /** Ends a message; nothing when it is not open. */
  end(id: string, tail?: MessageTail): void
  /** The message was told or taken away as a whole: what was begun of it grows no more. */
  leave(event: RunEvent): void
  /** What was written under this id; `undefined` when nothing was. */
  get(id: string): Written | undefined
  /** Ids of the open messages, in order of their starts. */
  open(): readonly string[]
}

interface Growing extends WrittenPart {
  text: string
  callId: string
  name: string
  /** The first half of a surrogate pair. */
  half: string
}

interface Growth {
  readonly envelope: Envelope
  readonly keys: Map<string, number>
  readonly parts: Growing[]
  tail: MessageTail
  isOpen: boolean
}

/** A writer that hands its events to `emit`. */
export function createMessageWriter(emit: (event: RunEvent) => void): MessageWriter {
  const messages = new Map<string, Growth>()
  const grow = (id: string, { envelope, parts }: Growth, index: number, text: string, isFirst: boolean) => {
    const part = parts[index]!
    const { kind, callId, name, half } = part
    const whole = half === '' ? text : half + text
    const isCut = isHighSurrogate(whole)
    part.half = isCut ? whole.slice(-1) : ''
    const complete = isCut ? whole.slice(0, -1) : whole
    if (!isFirst && complete === '') return
    // Where it comes from was said at the message's start.
    const delta = {
      type: 'message.delta',
      run: envelope.run,
      id,
      part: index,
      at: part.text.length,
      text: complete,
    } as const
    part.text += complete
    if (!isFirst || kind === 'text') emit(delta)
    else emit({ ...delta, kind, ...(kind === 'tool' && { callId, name }) })
  }
  return {
    start({ id, ...head }, envelope) {
      if (messages.get(id)?.isOpen) return
      messages.set(id, { envelope, keys: new Map(), parts: [], tail: {}, isOpen: true })
      emit({ ...envelope, type: 'message.start', id, ...head })
    },
    append(id, key, text, { kind = 'text', callId = '', name = '' } = {}) {
      const growth = messages.get(id)
      if (!growth?.isOpen) return
      const known = growth.keys.get(key)
      const index = known ?? growth.parts.length
      if (known === undefined) {
        growth.keys.set(key, index)
        growth.parts.push({ kind, text: '', callId, name, half: '' })
      }
      grow(id, growth, index, text, known === undefined)
    },
    note(id, tail) {
      const growth = messages.get(id)
      if (growth !== undefined) growth.tail = { ...growth.tail, ...tail }
    },
    end(id, tail) {
      const growth = messages.get(id)
      if (!growth?.isOpen) return
      growth.isOpen = false
      const { usage, finishReason, parts } = { ...growth.tail, ...tail }
      emit({
        ...growth.envelope,
        type: 'message.end',
        id,
        lengths: growth.parts.map(({ text }) => text.length),
        ...(usage && { usage }),
        ...(finishReason !== undefined && { finishReason }),
        ...(parts !== undefined && parts.length > 0 && { parts }),
      })
    },
    leave(event) {
      const id = event.type === 'message' ? event.message.id : event.type === 'message.remove' ? event.id : undefined
      const growth = id === undefined ? undefined : messages.get(id)
      if (growth !== undefined) growth.isOpen = false
    },
    get: (id) => messages.get(id),
    open: () => [...messages].flatMap(([id, { isOpen }]) => (isOpen ? [id] : [])),
  }
}

function isHighSurrogate(text: string): boolean {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last < 0xdc00
}
