import type { ValuesOf } from '@rivulet/client'
import type { TypedGraph } from '@rivulet/protocol'
import { useCallback } from 'react'
import type { StreamHandle } from '../stream/stream.ts'
import { useSelect } from './use-select.ts'

/** What `selector` picks from the graph's state; the component renders when it picks something else. */
export function useValues<G extends TypedGraph, T>(
  handle: StreamHandle<G>,
  selector: (values: ValuesOf<G>) => T,
  isEqual?: (a: T, b: T) => boolean,
): T {
  return useSelect(
    handle,
    useCallback(({ values }) => selector(values), [selector]),
    isEqual,
  )
}
