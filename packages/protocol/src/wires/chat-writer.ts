import type { WireError } from '../errors.ts'
import type { RunEnd, RunEvent } from '../events/event.ts'
import type { Message } from '../messages/message.ts'
import { createMessageWriter, type MessageHead, type MessageWriter } from './message-writer.ts'

/** What a decoder of a chat wire is told of the run whose stream it reads. */
export interface ChatToRead {
  /** Our id of the run. */
  run: string
  /** What was sent with it: such wires do not repeat the user's messages. */
  messages?: readonly Message[] | undefined
  /** Id of the answer, where the wire tells none. Default `<run>-answer`. */
  messageId?: string | undefined
}

/** A decoder of one run's stream on a wire that has no graph: messages, calls, and an end. */
export interface ChatDecoder {
  /** The events that one block of the stream means; none when it means nothing to us. */
  push(data: string): RunEvent[]
  /** The body ended: events that end the run, unless the stream has ended it. An end that was not told is an error. */
  end(): RunEvent[]
  /** The run was stopped by its reader: events that end it. */
  stop(): RunEvent[]
}

/** How one wire is read. */
export interface ChatReader {
  readonly read: (data: string) => void
  /** The body ended and the run has not. */
  readonly close: () => void
}

/** A decoder over this writer. */
export function createChatDecoder(writer: ChatWriter, { read, close }: ChatReader): ChatDecoder {
  return {
    push(data) {
      if (!writer.hasEnded) read(data)
      return writer.take()
    },
    end() {
      if (!writer.hasEnded) close()
      writer.end()
      return writer.take()
    },
    stop() {
      writer.end('cancelled')
      return writer.take()
    },
  }
}

/** Writes a conversation without a graph as events: it begins, messages come, it ends. */
export interface ChatWriter {
  readonly run: string
  readonly messages: MessageWriter
  readonly hasEnded: boolean
  emit(event: RunEvent): void
  /** Begins a message, and the run before the first. */
  start(head: Omit<MessageHead, 'id'> & { id?: string | undefined }): string
  /** Notes that the run failed, the first time; its end says so. */
  fail(message: unknown, code?: WireError['code']): void
  /** Notes that the stream stopped in the middle. */
  cutOff(): void
  end(status?: RunEnd['status'], more?: Pick<RunEnd, 'usage' | 'assumed'>): void
  /** The events so far, which are handed over once; the run's start before the first. */
  take(): RunEvent[]
}

/** A writer for one run. */
export function createChatWriter({ run, messages: sent = [], messageId = `${run}-answer` }: ChatToRead): ChatWriter {
  const ids = new Set<string>()
  let out: RunEvent[] = [
    { type: 'run.start', run, protocol: 1 },
    ...sent.map((message): RunEvent => ({ type: 'message', run, step: 0, message })),
    { type: 'values', run, step: 0, lists: { messages: { append: sent.map(({ id }) => id) } } },
  ]
  let failure: WireError | undefined
  let hasEnded = false
  const emit = (event: RunEvent) => {
    if (event.type === 'message.start') ids.add(event.id)
    else if (event.type === 'message') ids.add(event.message.id)
    messages.leave(event)
    out.push(event)
  }
  const messages = createMessageWriter(emit)
  const fail: ChatWriter['fail'] = (message, code = 'PROVIDER_FAILED') => {
    failure ??= { code, message: typeof message === 'string' ? message : 'the backend does not say what failed', run }
  }
  return {
    run,
    messages,
    fail,
    cutOff: () => fail('the stream ended before the answer was complete', 'DISCONNECTED'),
    emit,
    get hasEnded() {
      return hasEnded
    },
    start({ id = messageId, ...head }) {
      messages.start({ id, ...head }, { run })
      return id
    },
    end(status = failure ? 'error' : 'done', more = {}) {
      if (hasEnded) return
      hasEnded = true
      if (status === 'done' || status === 'interrupted') for (const id of messages.open()) messages.end(id)
      if (ids.size > 0) out.push({ type: 'values', run, step: 1, lists: { messages: { append: [...ids] } } })
      out.push({ type: 'run.end', run, status, ...more, ...(status === 'error' && failure && { error: failure }) })
    },
    take() {
      const taken = out
      out = []
      return taken
    },
  }
}
