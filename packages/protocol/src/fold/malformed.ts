import type { StampedEvent } from '../events/event.ts'

/**
 * Whether an event has the few fields its handler relies on. Cheap on purpose: it guards the fold against what another
 * program sent, it does not validate payloads.
 */
export function isWellFormed(event: StampedEvent): boolean {
  if (typeof event.run !== 'string') return false
  if (event.ns !== undefined && !isStrings(event.ns)) return false
  switch (event.type) {
    case 'message.delta':
      return isText(event.id) && isText(event.text) && isCount(event.part) && isCount(event.at)
    case 'message.start':
      return isText(event.id) && isText(event.role)
    case 'message.end':
      return isText(event.id) && Array.isArray(event.lengths)
    case 'message':
      return isRecord(event.message) && isText(event.message.id) && isText(event.message.content)
    case 'message.remove':
    case 'interrupt':
    case 'tool.start':
    case 'tool.end':
    case 'checkpoint':
      return isText(event.id)
    case 'task.start':
    case 'task.end':
      return isText(event.task) && isText(event.node)
    case 'values':
      return (
        (event.set === undefined || isRecord(event.set)) &&
        (event.unset === undefined || isStrings(event.unset)) &&
        (event.lists === undefined || (isRecord(event.lists) && Object.values(event.lists).every(isListChange)))
      )
    case 'rewind':
      return 'to' in event
        ? isRecord(event.state) && Array.isArray(event.state.messages)
        : isText(event.task) && isText(event.node)
    case 'error':
      return isRecord(event.error)
    default:
      return true
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && Number.isInteger(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every(isText)
}

function isListChange(change: unknown): boolean {
  return isRecord(change) && (isStrings(change['append']) || isStrings(change['ids']))
}
