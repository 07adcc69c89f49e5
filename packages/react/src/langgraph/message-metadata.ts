import type { ShownMessage } from '@rivulet/client'

/** What the legacy hook told of a message. Its branches are in `useBranches`. */
export interface MessageMetadata {
  readonly messageId: string
  /** Hand `parent_checkpoint` to `submit` as `checkpoint` to edit the message or to have it answered anew. */
  readonly firstSeenState: { readonly parent_checkpoint: LegacyCheckpoint | undefined } | undefined
  readonly streamMetadata: Readonly<Record<string, unknown>> | undefined
}

interface LegacyCheckpoint {
  readonly thread_id: string | undefined
  readonly checkpoint_id: string
  readonly checkpoint_ns: ''
}

/** The metadata a message carries under the legacy hook's names. */
export function metadataOf({ id, meta }: ShownMessage, threadId: string | undefined): MessageMetadata {
  const checkpoint = meta?.checkpoint
  return {
    messageId: id,
    firstSeenState: checkpoint === undefined ? undefined : { parent_checkpoint: checkpointOf(checkpoint, threadId) },
    streamMetadata: meta && {
      langgraph_node: meta.node,
      langgraph_step: meta.step,
      tags: meta.tags,
      run_id: meta.run,
      ls_model_name: meta.model,
      ...meta.metadata,
    },
  }
}

function checkpointOf(checkpoint_id: string, thread_id: string | undefined): LegacyCheckpoint {
  return { thread_id, checkpoint_id, checkpoint_ns: '' }
}
