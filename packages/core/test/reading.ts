import type { RunEvent } from '@rivulet/protocol'

/** Everything a stream yields. */
export async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of stream) items.push(item)
  return items
}

/** Everything a stream yields before it throws, and what it threw. */
export async function allAndError<T>(
  stream: AsyncIterable<T>,
): Promise<{ items: T[]; threw: boolean; error: unknown }> {
  const items: T[] = []
  try {
    for await (const item of stream) items.push(item)
  } catch (error) {
    return { items, threw: true, error }
  }
  return { items, threw: false, error: undefined }
}

/** The events of one type. */
export function ofType<T extends RunEvent['type']>(
  events: readonly RunEvent[],
  type: T,
): Extract<RunEvent, { type: T }>[] {
  return events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type)
}

/** What a promise rejects with; fails when it does not reject. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not reject')
}
