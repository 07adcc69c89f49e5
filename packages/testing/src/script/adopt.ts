import type { Message, RunEvent } from '@rivulet/protocol'

/**
 * The events of a recorded run as those of another: with its id, and with its user's messages in place of the recorded
 * ones, as many as there are. Pure; whatever else was recorded stays, so its other ids must be new to the thread.
 */
export function adoptRun(recorded: readonly RunEvent[], run: string, entered: readonly Message[]): RunEvent[] {
  const asked = recorded.flatMap((event) =>
    event.type === 'message' && event.message.role === 'user' ? [event.message] : [],
  )
  const replaced = new Map(asked.map(({ id }, i) => [id, entered[i]]))
  const idOf = (id: string) => replaced.get(id)?.id ?? id
  return recorded.map((event): RunEvent => {
    const adopted = { ...event, run }
    if (adopted.type === 'message') {
      const message = replaced.get(adopted.message.id) ?? adopted.message
      return { ...adopted, message, ...(adopted.after !== undefined && { after: idOf(adopted.after) }) }
    }
    if (adopted.type === 'message.remove') return { ...adopted, id: idOf(adopted.id) }
    if (adopted.type !== 'values' || adopted.lists === undefined) return adopted
    const lists = Object.entries(adopted.lists).map(([key, change]) => [
      key,
      'append' in change ? { append: change.append.map(idOf) } : { ids: change.ids.map(idOf) },
    ])
    return { ...adopted, lists: Object.fromEntries(lists) }
  })
}
