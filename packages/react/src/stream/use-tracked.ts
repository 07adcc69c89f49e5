import type { ThreadSnapshot } from '@rivulet/client'
import type { TypedGraph, UntypedGraph } from '@rivulet/protocol'
import { useEffect, useInsertionEffect, useState } from 'react'
import type { StreamHandle, StreamMethods } from './stream.ts'
import type { Instance } from './use-instance.ts'
import { useRerender } from './use-rerender.ts'

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
  const rerender = useRerender()
  const result = tracker.result(handle, methods)
  useInsertionEffect(() => tracker.note(result))
  useEffect(() => {
    const check = () => {
      if (tracker.isOutdated(handle)) rerender()
    }
    // It may have changed between the render and now.
    check()
    return handle.subscribe(check)
  }, [tracker, handle, rerender])
  return result
}

/** Remembers what a component reads, and makes a new result when some of that has changed. */
interface Tracker {
  result(handle: StreamHandle, methods: StreamMethods): StreamResult
  /** This result is on screen now. */
  note(result: StreamResult): void
  /** Whether what is on screen says something else than the thread does. */
  isOutdated(handle: StreamHandle): boolean
}

function createTracker(): Tracker {
  const read = new Set<Field>()
  const shown = new WeakMap<StreamResult, Values>()
  let last: StreamResult | undefined
  let onScreen: StreamResult | undefined
  const isOutdated = (result: StreamResult | undefined, handle: StreamHandle) => {
    const values = result && shown.get(result)
    return values === undefined || differs(values, handle.getSnapshot(), read)
  }
  return {
    result(handle, methods) {
      if (last?.handle !== handle || isOutdated(last, handle)) {
        const values: Values = {}
        for (const field of read) values[field] = handle.getSnapshot()[field]
        last = createResult(handle, methods, values, read)
        shown.set(last, values)
      }
      return last
    },
    note(result) {
      onScreen = result
    },
    isOutdated: (handle) => isOutdated(onScreen, handle),
  }
}

/** What one result has shown of its thread so far. */
type Values = Partial<Record<Field, unknown>>

function differs(values: Values, snapshot: ThreadSnapshot, read: ReadonlySet<Field>): boolean {
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
