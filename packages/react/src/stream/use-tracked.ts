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
  const sight = tracker.look(handle, methods)
  useInsertionEffect(() => tracker.note(sight))
  useEffect(() => {
    const check = () => {
      if (tracker.isOutdated(handle)) rerender()
    }
    // It may have changed between the render and now.
    check()
    return handle.subscribe(check)
  }, [tracker, handle, rerender])
  return sight.result
}

/** A result, and what it has shown of its thread so far. */
interface Sight {
  readonly result: StreamResult
  readonly values: Partial<Record<Field, unknown>>
}

/**
 * Remembers which fields a component has read, in any render. A render that React throws away or puts off has looked at
 * the thread, too; whether another one is needed is judged by what is on screen.
 */
interface Tracker {
  /** What a render sees: the same as the last one unless a field that was read has changed. */
  look(handle: StreamHandle, methods: StreamMethods): Sight
  /** This is on screen now. */
  note(sight: Sight): void
  /** Whether what is on screen says something else than the thread does. */
  isOutdated(handle: StreamHandle): boolean
}

function createTracker(): Tracker {
  const read = new Set<Field>()
  let last: Sight | undefined
  let onScreen: Sight | undefined
  const isCurrent = ({ values }: Sight, snapshot: ThreadSnapshot) =>
    [...read].every((field) => Object.is(values[field], snapshot[field]))
  return {
    look(handle, methods) {
      const snapshot = handle.getSnapshot()
      if (last?.result.handle !== handle || !isCurrent(last, snapshot)) {
        // At this moment, all that was read before: a field that is read later may be of a later one.
        const values = Object.fromEntries([...read].map((field) => [field, snapshot[field]]))
        last = { result: createResult(handle, methods, values, read), values }
      }
      return last
    },
    note(sight) {
      onScreen = sight
    },
    isOutdated: (handle) => onScreen === undefined || !isCurrent(onScreen, handle.getSnapshot()),
  }
}

function createResult(
  handle: StreamHandle,
  methods: StreamMethods,
  values: Sight['values'],
  read: Set<Field>,
): StreamResult {
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
