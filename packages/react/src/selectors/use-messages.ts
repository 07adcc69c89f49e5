import type { ShownMessage } from '@rivulet/client'
import type { MessageFilter, TypedGraph } from '@rivulet/protocol'
import { useCallback, useMemo } from 'react'
import type { StreamHandle } from '../stream/stream.ts'
import { useSelect } from './use-select.ts'

/** The filter as one object for as long as it says the same. */
function useFilter(filter: MessageFilter | undefined): MessageFilter | undefined {
  const text = filter && JSON.stringify(filter)
  // A filter is plain JSON: text and lists of text.
  return useMemo(() => (text === undefined ? undefined : (JSON.parse(text) as MessageFilter)), [text])
}

/**
 * Ids of the messages on the page, or of one list, node or tag. The component renders when the list changes, never
 * while its messages stream: give each id to a row that calls {@link useMessage}.
 */
export function useMessageIds<G extends TypedGraph>(
  handle: StreamHandle<G>,
  filter?: MessageFilter,
): readonly string[] {
  const kept = useFilter(filter)
  return useSelect(
    handle,
    useCallback(({ messageIds }) => messageIds(kept), [kept]),
  )
}

/** One message by its id; `undefined` when there is none. The component renders for this message alone. */
export function useMessage<G extends TypedGraph>(handle: StreamHandle<G>, id: string): ShownMessage | undefined {
  return useSelect(
    handle,
    useCallback(({ message }) => message(id), [id]),
  )
}

/**
 * The messages on the page, or of one list, node or tag; for simple pages: the component renders with every frame of
 * text.
 */
export function useMessages<G extends TypedGraph>(
  handle: StreamHandle<G>,
  filter?: MessageFilter,
): readonly ShownMessage[] {
  const kept = useFilter(filter)
  return useSelect(
    handle,
    useCallback(({ messagesWhere }) => messagesWhere(kept), [kept]),
  )
}
