import type { RunEvent } from '../../events/event.ts'
import type { GraphState, TaskState } from '../../graph.ts'
import type { Message } from '../../messages/message.ts'
import { parseNamespace, type Namespace } from '../../namespace.ts'
import { readDict } from './dict.ts'
import { type Fields, fieldsOf, isFields, textOf } from '../fields.ts'
import { isMessageList } from './thread-writer.ts'

/**
 * A thread's state as LangGraph's servers answer it (`GET /threads/:id/state`, an item of `/history`), its messages as
 * ours; with `subgraphs` also the tasks that are left, each with the state below it that came with it.
 */
export function readLangGraphState(json: unknown, { subgraphs = false }: { subgraphs?: boolean } = {}): GraphState {
  const state: Fields = isFields(json) ? json : {}
  const { values, next, tasks, metadata: about, created_at: created } = state
  const metadata: Fields = isFields(about) ? about : {}
  const { step, source } = metadata
  const checkpointId = idIn(state['checkpoint'])
  const parentCheckpointId = idIn(state['parent_checkpoint'])
  const createdAt = typeof created === 'string' ? Date.parse(created) : NaN
  return {
    values: mapValues(isFields(values) ? values : {}),
    next: Array.isArray(next) ? next.map(String) : [],
    interrupts: readInterrupts(fieldsOf(tasks).flatMap((task) => fieldsOf(task['interrupts']))),
    metadata,
    ...(subgraphs && { tasks: fieldsOf(tasks).filter(isLeft).map(readTask) }),
    ...(checkpointId !== undefined && { checkpointId }),
    ...(parentCheckpointId !== undefined && { parentCheckpointId }),
    ...(!Number.isNaN(createdAt) && { createdAt }),
    ...(typeof step === 'number' && { step }),
    ...((source === 'input' || source === 'loop' || source === 'update' || source === 'fork') && { source }),
  }
}

function readInterrupts(interrupts: readonly Fields[]): { id: string; value: unknown }[] {
  return interrupts.map(({ id, value }, i) => ({ id: textOf(id) ?? `interrupt-${i}`, value }))
}

/** A task that has ended has a result. */
function isLeft({ result }: Fields): boolean {
  return (result ?? undefined) === undefined
}

function readTask({ id, name, interrupts, checkpoint, state }: Fields): TaskState {
  const ns = namespaceIn(checkpoint) ?? (isFields(state) ? namespaceIn(state['checkpoint']) : undefined)
  return {
    id: textOf(id) ?? '',
    name: textOf(name) ?? '',
    interrupts: readInterrupts(fieldsOf(interrupts)),
    ...(ns && { ns }),
    ...(isFields(state) && { state: readLangGraphState(state, { subgraphs: true }) }),
  }
}

/** What tells a reader of this state: the state itself and what waits for a person. `run` is the id of no run. */
export function eventsOfState({ values, checkpointId, interrupts = [] }: GraphState, run: string): RunEvent[] {
  const lists = Object.entries(values).filter((entry): entry is [string, Message[]] => areMessages(entry[1]))
  const isList = (key: string) => lists.some(([name]) => name === key)
  return [
    {
      type: 'rewind',
      run,
      to: checkpointId ?? null,
      reason: 'recovery',
      state: {
        values: Object.fromEntries(Object.entries(values).filter(([key]) => !isList(key))),
        lists: Object.fromEntries(lists.map(([key, messages]) => [key, messages.map(({ id }) => id)])),
        messages: lists.flatMap(([, messages]) => messages),
      },
    },
    ...interrupts.map(({ id, value }): RunEvent => ({ type: 'interrupt', run, id, value })),
  ]
}

function mapValues(values: Fields): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [
      key,
      isMessageList(value, false) ? fieldsOf(value).flatMap((dict, i) => readDict(dict, `${key}-${i}`) ?? []) : value,
    ]),
  )
}

function areMessages(value: unknown): boolean {
  return (
    Array.isArray(value) && value.length > 0 && value.every((item) => isFields(item) && 'id' in item && 'role' in item)
  )
}

function idIn(checkpoint: unknown): string | undefined {
  return isFields(checkpoint) ? textOf(checkpoint['checkpoint_id']) : undefined
}

function namespaceIn(checkpoint: unknown): Namespace | undefined {
  const text = isFields(checkpoint) ? textOf(checkpoint['checkpoint_ns']) : undefined
  return text === undefined ? undefined : parseNamespace(text)
}
