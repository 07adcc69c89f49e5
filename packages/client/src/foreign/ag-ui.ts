import { createAgUiDecoder } from '@rivulet/protocol/wires/ag-ui'
import type { Transport } from '../transports/transport.ts'
import { chatTransport, readEvents, type ChatRequest, type ChatStreamOptions } from './chat.ts'

/** How to reach an AG-UI agent. */
export interface AgUiOptions extends ChatStreamOptions {
  /** The agent's endpoint. */
  url: string
  /** What is sent. Default: a `RunAgentInput` without tools. */
  body?: ((request: ChatRequest) => unknown) | undefined
}

/** An agent that speaks AG-UI over server-sent events. */
export function agUi({ body = bodyOf, ...options }: AgUiOptions): Transport {
  return chatTransport({
    read: (request, signal) => readEvents(options, { body: body(request) }, signal),
    decoder: createAgUiDecoder,
  })
}

function bodyOf({ thread, start, messages }: ChatRequest): object {
  const said = messages.map(({ id, role, content, toolCalls, toolCallId }) => ({
    id,
    role,
    content,
    toolCallId,
    toolCalls: toolCalls?.map(({ id: callId, name, args }) => {
      return { id: callId, type: 'function', function: { name, arguments: args } }
    }),
  }))
  const { resume, run, context } = start
  return {
    threadId: thread,
    runId: run,
    messages: said,
    state: {},
    tools: [],
    context: [],
    forwardedProps: context ?? {},
    ...(resume !== undefined && { resume }),
  }
}
