import type { Message } from '@rivulet/protocol'

/** A tool call that was answered. `content` is the answer as JSON text, or a sentence when the tool failed. */
export interface AnsweredCall {
  name: string
  args: string
  content: string
}

/** What the person asked last, with what has been found out since, and what was before. */
export interface Turn {
  /** What the person typed last; empty when nothing was. */
  text: string
  /** Names of the files given with it. */
  attached: readonly string[]
  /** Calls answered since, in order of the calls. */
  results: readonly AnsweredCall[]
  /** Calls answered before it, oldest first. */
  earlier: readonly AnsweredCall[]
  /** Names of all files given so far, oldest first. */
  files: readonly string[]
}

/** Reads the turn at the end of a conversation. Calls that nobody answered are left out. */
export function readTurn(messages: readonly Message[]): Turn {
  const last = messages.findLastIndex(({ role }) => role === 'user')
  const message = messages[last]
  const attached = message ? fileNames(message) : []
  return {
    text: message?.content.trim() ?? '',
    attached,
    results: answeredCalls(messages.slice(last + 1)),
    earlier: answeredCalls(messages.slice(0, Math.max(0, last))),
    files: [...new Set(messages.flatMap(fileNames))],
  }
}

/** Names of the files that a message says were given with it. Their contents are in the graph's state. */
export function fileNames({ parts = [] }: Message): string[] {
  return parts.flatMap((part) => (part.kind === 'file' && part.name !== undefined ? [part.name] : []))
}

function answeredCalls(messages: readonly Message[]): AnsweredCall[] {
  const answers = new Map(messages.flatMap((message) => (message.toolCallId ? [[message.toolCallId, message]] : [])))
  return messages
    .flatMap(({ toolCalls = [] }) => toolCalls)
    .flatMap(({ id, name, args }) => {
      const answer = answers.get(id)
      return answer ? [{ name, args, content: answer.content }] : []
    })
}
