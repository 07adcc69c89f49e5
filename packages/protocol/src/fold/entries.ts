import type { Envelope, RunEvent } from '../events/event.ts'
import type { Message, MessageMeta, MessageStatus, Part, ToolCall } from '../messages/message.ts'
import { isWithin, ROOT, sameNamespace, type Namespace } from '../namespace.ts'
import { stated } from '../stated.ts'
import type { Entry, Held, OpenEntry, Origin, ThreadState } from './state.ts'

/** Who emitted this event. */
export function originOf({ run, ns = ROOT, task, attempt = 1 }: Envelope): Origin {
  return { run, ns, task, attempt }
}

/** The origin that a message's meta tells. */
export function originInMeta({ meta: { run = '', namespace, task, attempt } = {} }: Message): Origin {
  return originOf(stated({ run, ns: namespace, task, attempt }))
}

/** What an event's envelope says of the message it carries. */
export function metaOf({ run, node, step, ns, task, attempt }: RunEvent): MessageMeta {
  const namespace = ns?.length ? ns : undefined
  return stated({ run, node, step, namespace, task, attempt: attempt === 1 ? undefined : attempt })
}

/** The id we keep a message under: itself, or ours when it is a provider's. */
export function resolveId(state: ThreadState, id: string): string {
  return versionOf(state, id) ? id : (state.aliases.get(id) ?? id)
}

/** What stands under this id, streaming or not. */
export function versionOf(state: ThreadState, id: string): Entry | OpenEntry | undefined {
  return state.live.get(id) ?? state.settled.get(id)
}

/** The message a streaming entry amounts to so far. */
export function messageOfOpen(open: OpenEntry, status: MessageStatus, extra: readonly Part[] = []): Message {
  let content = ''
  const parts: Part[] = []
  const toolCalls: ToolCall[] = []
  for (const { kind, text, callId = '', name = '' } of open.parts) {
    if (kind === 'tool') toolCalls.push({ id: callId, name, args: text })
    else parts.push({ kind, text })
    if (kind === 'text') content = content === '' ? text : content + text
  }
  const { id, role, toolCallId, name, meta } = open
  const isPlain = extra.length === 0 && parts.every(({ kind }) => kind === 'text')
  return stated({
    id,
    role,
    content,
    parts: isPlain ? undefined : [...parts, ...extra],
    toolCalls: toolCalls.length > 0 ? toolCalls : undefined,
    toolCallId,
    name,
    status,
    meta,
  })
}

/** Whether two things came from the same attempt. */
export function sameOrigin(a: Origin, b: Origin): boolean {
  return a.run === b.run && a.task === b.task && a.attempt === b.attempt && sameNamespace(a.ns, b.ns)
}

/** Whether two messages say the same, whatever their status and meta. */
export function sameContent(a: Message, b: Message): boolean {
  const said = ({ role, content, parts, toolCalls, toolCallId, name }: Message) =>
    JSON.stringify([role, content, parts, toolCalls, toolCallId, name])
  return a === b || (a.content === b.content && said(a) === said(b))
}

/** Whether this namespace has committed the entry, or one above has. */
export function isFinal({ held }: { held: readonly Held[] }, ns: Namespace): boolean {
  return held.some((place) => place.message === undefined && isWithin(ns, place.ns))
}
