import type { ThreadSnapshot } from '@rivulet/client'
import type { TypedGraph, UntypedGraph } from '@rivulet/protocol'
import { useState, useSyncExternalStore } from 'react'
import type { StreamHandle, StreamMethods } from './stream.ts'
import type { Instance } from './use-instance.ts'

const FIELDS = [
  'messages',
  'values',
  'status',
  'isLoading',
  'error',
  'interrupts',
  'toolCalls',
  'activeNodes',
  'queue',
  'connection',
  'threadId',
] as const

type Field = (typeof FIELDS)[number]

/** What a page reads of its thread. */
export type StreamFields<G extends TypedGraph = UntypedGraph> = Pick<ThreadSnapshot<G>, Field>

/**
 * A thread as a component sees it. Immutable: a new object comes when one of the fields that this component has read
 * changed, and only then does it render.
 */
export type StreamResult<G extends TypedGraph = UntypedGraph> = StreamFields<G> &
  StreamMethods<G> & {
    /** The thread for selectors and for components below; the same object while the same thread is shown. */
    readonly handle: StreamHandle<G>
  }

/** The thread's fields, rendering the component only for those it reads. */
export function useTracked({ stream: { handle }, methods }: Instance): StreamResult {
  const [tracker] = useState(createTracker)
  const getResult = () => tracker.result(handle, methods)
  return useSyncExternalStore(handle.subscribe, getResult, getResult)
}

/** Remembers what a component reads, and makes a new result when some of that has changed. */
interface Tracker {
  result(handle: StreamHandle, methods: StreamMethods): StreamResult
}

function createTracker(): Tracker {
  const read = new Set<Field>()
  let last: { handle: StreamHandle; values: Values; result: StreamResult } | undefined
  return {
    result(handle, methods) {
      if (last?.handle !== handle || isOutdated(last.values, handle.getSnapshot(), read)) {
        const values: Values = {}
        for (const field of read) values[field] = handle.getSnapshot()[field]
        last = { handle, values, result: createResult(handle, methods, values, read) }
      }
      return last.result
    },
  }
}

/** What one result has shown of its thread so far. */
type Values = Partial<Record<Field, unknown>>

function isOutdated(values: Values, snapshot: ThreadSnapshot, read: ReadonlySet<Field>): boolean {
  return [...read].some((field) => !Object.is(values[field], snapshot[field]))
}

function createResult(handle: StreamHandle, methods: StreamMethods, values: Values, read: Set<Field>): StreamResult {
  const result = { ...methods, handle }
  for (const field of FIELDS) {
    Object.defineProperty(result, field, {
      enumerable: true,
      get() {
        read.add(field)
        if (!(field in values)) values[field] = handle.getSnapshot()[field]
        return values[field]
      },
    })
  }
  // Each field was just defined, with the value that a snapshot has under the same name.
  return result as StreamResult
}
