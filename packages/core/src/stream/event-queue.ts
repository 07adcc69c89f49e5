import type { GraphTypes, RunEvent, StreamMode } from '@rivulet/protocol'
import type { Values } from '../state/schema.ts'
import type { Chunks } from './chunks.ts'
import type { Delivery } from './delivery.ts'
import type { Sink, Wants } from './sink.ts'

/** A sink that hands events on as they are. */
export function eventSink(delivery: Pick<Delivery<RunEvent>, 'push' | 'room' | 'full'>, wants: Wants): Sink {
  return {
    wants,
    emit: (event) => delivery.push(event, sizeOf(event)),
    room: () => delivery.room(),
    full: () => delivery.full(),
  }
}

/** A sink that hands on what `take` makes of events. */
export function projectingSink(
  delivery: Pick<Sink, 'room' | 'full'>,
  wants: Wants,
  take: (event: RunEvent, values: Values | undefined) => void,
): Sink {
  return { wants, emit: take, room: () => delivery.room(), full: () => delivery.full() }
}

/** Rough bytes a chunk holds that nothing else does: state is shared with the run, metadata by all chunks of a message. */
export function sizeOfChunk(mode: StreamMode, chunk: unknown): number {
  if (mode === 'custom') return sizeOf(chunk)
  return mode === 'messages' ? 64 + (chunk as Chunks<GraphTypes>['messages'])[0].content.length : 64
}

/** Rough bytes an item holds: its strings, and a word or two for everything else. Enough to bound a queue. */
export function sizeOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return 16 + value.length
    case 'object':
      return value === null ? 8 : sizeOfMembers(value)
    default:
      return 8
  }
}

function sizeOfMembers(value: object): number {
  let size = 16
  for (const key in value) size += 8 + sizeOf((value as Record<string, unknown>)[key])
  return size
}
