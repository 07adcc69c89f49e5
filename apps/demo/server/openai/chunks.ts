import type { MessageChunk } from '@rivulet/core'
import type { ChatCompletionChunk } from 'openai/resources/chat/completions'

/** What one chunk of a chat completion adds to the message; `undefined` when it adds nothing. */
export function messageChunk({ choices, usage }: ChatCompletionChunk): MessageChunk | undefined {
  const choice = choices.at(0)
  const chunk: MessageChunk = {
    ...(choice?.delta.content && { content: choice.delta.content }),
    ...(choice?.delta.tool_calls && { toolCallChunks: choice.delta.tool_calls.map(toolCallChunk) }),
    ...(choice?.finish_reason && { finishReason: choice.finish_reason }),
    ...(usage && {
      usage: {
        inputTokens: usage.prompt_tokens,
        outputTokens: usage.completion_tokens,
        totalTokens: usage.total_tokens,
      },
    }),
  }
  return Object.keys(chunk).length > 0 ? chunk : undefined
}

function toolCallChunk({ index, id, function: called }: ChatCompletionChunk.Choice.Delta.ToolCall) {
  return {
    index,
    ...(id && { id }),
    ...(called?.name && { name: called.name }),
    ...(called?.arguments !== undefined && { args: called.arguments }),
  }
}
