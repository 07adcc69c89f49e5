import type { Values } from '../events/event.ts'
import { ROOT, sameNamespace } from '../namespace.ts'
import { originOf, sameOrigin } from './entries.ts'
import type { Since, ThreadState, Told } from './state.ts'

/** What was told since the base, in its order. */
export function toldSince({ since }: ThreadState): Told[] {
  const told: Told[] = []
  for (let one: Since | undefined = since; one !== undefined; one = one.before) told.push(one.told)
  return told.reverse()
}

/** Things told in this order, as a state has them. */
export function sinceOf(told: readonly Told[]): Since | undefined {
  return told.reduce<Since | undefined>(alsoTold, undefined)
}

/** With one more thing told. What makes the same as something that stands right before it takes its place. */
export function alsoTold(since: Since | undefined, told: Told): Since {
  const last = since?.told
  if (last?.type === 'message' && told.type === 'message') {
    // A message told whole again and again by one attempt is what it was told last, where it was told first.
    const isAgain = last.message.id === told.message.id && sameOrigin(originOf(last), originOf(told))
    if (isAgain) return { told: { ...last, message: told.message }, before: since?.before }
  }
  // A graph of ten thousand steps under one task of the root is to be remembered by what it made, not by its steps.
  const earlier = told.type === 'values' ? quietStep(since, told) : undefined
  return earlier ?? { told, before: since }
}

/**
 * The `values` before this one as of its step, where nothing was told in between but the tasks of that step from their
 * start to their end: then both together commit what this one does, and nobody asks for those tasks again.
 */
function quietStep(
  since: Since | undefined,
  { run, ns = ROOT, step = 0, lists, full, shared }: Values,
): Since | undefined {
  if (lists || full || shared) return undefined
  const ended = new Set<string>()
  for (let one = since; one !== undefined; one = one.before) {
    const { told, before } = one
    if (told.type !== 'values' && told.type !== 'task.start' && told.type !== 'task.end') break
    if (told.run !== run || !sameNamespace(told.ns ?? ROOT, ns)) break
    if (told.type === 'values') {
      const isWhole = ended.size === 0 && (told.step ?? step) < step
      return isWhole ? { told: { ...told, step }, before } : undefined
    }
    if (told.step !== step) break
    if (told.type === 'task.start' ? !ended.delete(told.task) : told.outcome === 'interrupted') break
    if (told.type === 'task.end') ended.add(told.task)
  }
  return undefined
}
