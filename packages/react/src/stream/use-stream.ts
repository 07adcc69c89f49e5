import type { TypedGraph, UntypedGraph } from '@rivulet/protocol'
import { useInstance, type StreamOptions } from './use-instance.ts'
import { useTracked, type StreamResult } from './use-tracked.ts'

/**
 * A thread on a page: reads it as long as the component is mounted, starts runs on it, and renders the component when
 * something that it reads has changed, at most once a frame.
 *
 * `useStream<typeof graph>(…)` takes the types of state, input, custom data and interrupts from the graph. For long
 * conversations hand `handle` to `useMessageIds` and `useMessage`, so that each row renders alone. It reads the thread
 * over one connection, also in StrictMode; leaving the page leaves the run running. On a server it renders the initial
 * values and opens nothing.
 */
export function useStream<G extends TypedGraph = UntypedGraph>(options: StreamOptions<G>): StreamResult<G> {
  // `G` types values that pass through untouched; nothing here looks into them.
  return useTracked(useInstance(options)) as StreamResult<G>
}
