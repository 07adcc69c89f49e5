import type { RunEvent, StampedEvent } from '../events/event.ts'
import { applyCustom, applyError, applyInterrupt, applyTask, applyToolEnd, applyToolStart } from './activity.ts'
import {
  applyClosed,
  applyMessageDelta,
  applyMessageEnd,
  applyMessagePut,
  applyMessageRemove,
  applyMessageStart,
  type Missing,
} from './messages.ts'
import { applyRewindTask, applyRewindTo } from './rewind.ts'
import { applyCheckpoint, applyRunEnd, applyRunStart } from './runs.ts'
import {
  IDENTIFIED,
  isCount,
  isEnvelope,
  isRecord,
  isText,
  LISTS,
  MESSAGE,
  META,
  record,
  shaped,
  TASK,
  type Check,
  type Shape,
} from './shapes.ts'
import type { Told } from './state.ts'
import { applyValues } from './values.ts'
import type { Work } from './work.ts'

type Apply<E> = (work: Work, event: E) => Missing

/** What an event of one type must be like, and what it changes. */
type Kind<E> = readonly [fits: Check, apply: Apply<E>]

function kind<E>(shape: Shape, apply: Apply<E>): Kind<E> {
  return [shaped(shape), apply]
}

const isAttempt = shaped({ task: isText, node: isText, attempt: isCount })
const isState = shaped({ state: { values: isRecord, lists: record([isText]), messages: [MESSAGE] } })

const KINDS: { readonly [T in RunEvent['type']]: Kind<Extract<StampedEvent, { type: T }>> } = {
  'message.delta': kind({ id: isText, part: isCount, at: isCount, text: isText }, applyMessageDelta),
  'message.start': kind({ id: isText, 'meta?': META }, applyMessageStart),
  'message.end': kind(
    { id: isText, lengths: [isCount], 'providerId?': isText, 'metadata?': isRecord, 'parts?': [isRecord] },
    applyMessageEnd,
  ),
  message: kind({ message: MESSAGE }, applyMessagePut),
  'message.remove': kind(IDENTIFIED, applyMessageRemove),
  values: kind({ 'set?': isRecord, 'unset?': [isText], 'lists?': LISTS, 'shared?': [isText] }, applyValues),
  custom: kind({}, applyCustom),
  'task.start': kind(TASK, applyTask),
  'task.end': kind(TASK, applyTask),
  'tool.start': kind(IDENTIFIED, applyToolStart),
  'tool.end': kind(IDENTIFIED, applyToolEnd),
  interrupt: kind(IDENTIFIED, applyInterrupt),
  rewind: kind(
    (event) => isRecord(event) && ('to' in event ? isState : isAttempt)(event),
    (work, event) => ('to' in event ? applyRewindTo(work, event) : applyRewindTask(work, event, tell)),
  ),
  'run.start': kind({ 'resume?': [isText] }, applyRunStart),
  'run.end': kind({}, applyRunEnd),
  checkpoint: kind(IDENTIFIED, applyCheckpoint),
  error: kind({ error: isRecord }, applyError),
  updates: kind({}, () => undefined),
}

/** What to do with an event; nothing for one of a type nobody knows, or that is not as its type says. */
export function handlerOf(event: RunEvent): Apply<RunEvent> | undefined {
  if (!isEnvelope(event) || !Object.hasOwn(KINDS, event.type)) return undefined
  // The entry under an event's type takes events of that type, which this one is.
  const [fits, apply] = KINDS[event.type] as Kind<RunEvent>
  return fits(event) ? apply : undefined
}

/** Tells an event of the past once more. */
export function tell(work: Work, told: Told): void {
  if (told.type === 'closed') applyClosed(work, told)
  else handlerOf(told)?.(work, told)
}

/** Whether something can be told. */
export const isTold: Check = (value) => {
  // Looked at by what its type asks for, and nothing more.
  const told = value as Told
  return isRecord(value) && (told.type === 'closed' ? isClosed(told) : handlerOf(told) !== undefined)
}

const isClosed = shaped({ message: MESSAGE })
