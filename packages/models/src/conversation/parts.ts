import type { Message, Part } from '@rivulet/protocol'
import { fieldsOf, isFields, type Fields } from '../read-fields.ts'

/** A part that is a file: an image, a sound, or any other. */
export type FilePart = Extract<Part, { mediaType: string }>

/** What a person said, in order: text, and files. Other parts say nothing to a model. */
export function spokenParts({ content, parts }: Message): readonly ({ kind: 'text'; text: string } | FilePart)[] {
  const spoken = (parts ?? []).filter(
    (part): part is { kind: 'text'; text: string } | FilePart => part.kind === 'text' || 'mediaType' in part,
  )
  const hasText = spoken.some(({ kind }) => kind === 'text')
  return content !== '' && !hasText ? [{ kind: 'text', text: content }, ...spoken] : spoken
}

/** What stands for a file in a conversation with a model that cannot take it. */
export function fileMention({ name, url, mediaType }: FilePart): string {
  return `[Attached file: ${name ?? url ?? mediaType}]`
}

/** What a tool answered, for a provider that takes text alone there: its files are named. */
export function answerText(message: Message): string {
  const mentions = spokenParts(message).flatMap((part) => (part.kind === 'text' ? [] : [fileMention(part)]))
  return [message.content, ...mentions].filter((text) => text !== '').join('\n\n')
}

/** Where a file is: its address, or its content as a `data:` address; `undefined` when it is named only. */
export function addressOf({ url, data, mediaType }: FilePart): string | undefined {
  return url ?? (data === undefined ? undefined : `data:${mediaType};base64,${data}`)
}

/** The reasoning of a message, as one text. */
export function reasoningOf({ parts = [] }: Message): string {
  return parts.map((part) => (part.kind === 'reasoning' ? part.text : '')).join('')
}

/** Name of the data part in which a message keeps what its provider needs back. */
const STATE = 'provider-state'

/** A part that keeps what `provider` needs back to go on with the conversation. */
export function statePart(provider: string, state: Fields): Part {
  return { kind: 'data', name: STATE, value: { ...state, provider } }
}

/** What this provider needs back of a message; `undefined` when there is nothing, or another provider made it. */
export function stateOf({ parts = [] }: Message, provider: string): Fields | undefined {
  for (const part of parts) {
    if (part.kind !== 'data' || part.name !== STATE || !isFields(part.value)) continue
    if (part.value['provider'] === provider) return part.value
  }
  return undefined
}

/** A call's arguments as an object, as some providers want them back; an empty one when a model wrote no JSON object. */
export function argumentsOf(args: string): Fields {
  try {
    return fieldsOf(JSON.parse(args))
  } catch {
    return {}
  }
}

/** Tool answers whose call is in the conversation: providers refuse any other. */
export function withoutStrayAnswers(messages: readonly Message[]): readonly Message[] {
  const asked = new Set(messages.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id }) => id)))
  return messages.filter(
    ({ role, toolCallId }) => role !== 'tool' || (toolCallId !== undefined && asked.has(toolCallId)),
  )
}
