import type { CustomEntryOf } from '@rivulet/client'
import type { ToolCallState, TypedGraph } from '@rivulet/protocol'
import { useCallback } from 'react'
import type { StreamHandle } from '../stream/stream.ts'
import { useSelect } from './use-select.ts'

/**
 * One tool call with all that is known of it: arguments as they stream, whether it runs, its output; `undefined` when
 * nothing names it.
 */
export function useToolCall<G extends TypedGraph>(handle: StreamHandle<G>, id: string): ToolCallState | undefined {
  return useSelect(
    handle,
    useCallback(({ toolCall }) => toolCall(id), [id]),
  )
}

/**
 * The last value written under this name, or with `ctx.progress` in this tool call: `data` is what was written, of the
 * type that the graph declares as `custom`.
 */
export function useProgress<G extends TypedGraph>(
  handle: StreamHandle<G>,
  nameOrToolCallId: string,
): CustomEntryOf<G> | undefined {
  return useSelect(
    handle,
    useCallback(({ progress }) => progress(nameOrToolCallId), [nameOrToolCallId]),
  )
}
