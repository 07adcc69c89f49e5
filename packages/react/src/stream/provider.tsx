import { RivuletError, type TypedGraph, type UntypedGraph } from '@rivulet/protocol'
import { createContext, useContext, type ReactElement, type ReactNode } from 'react'
import { useInstance, type Instance, type StreamOptions } from './use-instance.ts'
import { useTracked, type StreamResult } from './use-tracked.ts'

const StreamContext = createContext<Instance | undefined>(undefined)

/**
 * Shows one thread to all components below, over one connection; takes the options of `useStream`. Renders nothing by
 * itself when the thread changes.
 */
export function StreamProvider<G extends TypedGraph = UntypedGraph>({
  children,
  ...options
}: StreamOptions<G> & { children?: ReactNode }): ReactElement {
  const instance = useInstance(options)
  return <StreamContext.Provider value={instance}>{children}</StreamContext.Provider>
}

/**
 * The thread of the provider above, as `useStream` gives it: each component renders for what it reads itself. Throws
 * `NO_CONTEXT` without a provider.
 */
export function useStreamContext<G extends TypedGraph = UntypedGraph>(): StreamResult<G> {
  const instance = useContext(StreamContext)
  if (instance === undefined) throw new RivuletError('NO_CONTEXT', 'useStreamContext needs a StreamProvider above it')
  // The caller names the graph of the provider above; the values themselves pass through untouched.
  return useTracked(instance) as StreamResult<G>
}
