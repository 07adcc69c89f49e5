import type { RunEvent } from '../../src/events/event.ts'
import { createAgUiDecoder } from '../../src/wires/ag-ui/index.ts'
import { createAiSdkDecoder } from '../../src/wires/ai-sdk/index.ts'
import type { ChatDecoder } from '../../src/wires/chat-writer.ts'
import { createAgentStreamDecoder, createLangGraphDecoder } from '../../src/wires/langgraph/index.ts'
import { createOpenAiChatDecoder, createOpenAiResponsesDecoder } from '../../src/wires/openai/index.ts'
import { createPlainDecoder } from '../../src/wires/plain/index.ts'
import { framesIn, recordingAt, streamsIn } from './recordings.ts'
import { readStream, written } from './shown.ts'

/** Decoders of wires without a graph, by the recording of each. */
const chats: Readonly<Record<string, () => ChatDecoder>> = {
  'ag-ui.txt': () => createAgUiDecoder({ run: 'r' }),
  'ai-sdk.txt': () => createAiSdkDecoder({ run: 'r' }),
  'openai-chat.txt': () => createOpenAiChatDecoder({ run: 'r' }),
  'openai-responses.txt': () => createOpenAiResponsesDecoder({ run: 'r' }),
  'plain.txt': () => createPlainDecoder({ run: 'r' }),
}

/** The threads of a recording: the events of each, read in pieces of so many bytes. */
export function threadsIn(name: string, pieceBytes?: number): RunEvent[][] {
  const chat = chats[name]
  if (chat !== undefined) return [readChat(recordingAt(name), chat(), pieceBytes)]
  if (name.startsWith('proto-ws')) {
    return [readAgentStream(written(framesIn(name).map((text) => ({ text }))), pieceBytes)]
  }
  const streams = streamsIn(name).map(({ body }) => body)
  if (name.startsWith('proto-')) return streams.slice(0, 1).map((body) => readAgentStream(body, pieceBytes))
  return streams.map((body) => readClassic(body, pieceBytes))
}

function readChat(text: string, decoder: ChatDecoder, pieceBytes?: number): RunEvent[] {
  const events: RunEvent[] = []
  readStream(text, (_event, data) => events.push(...decoder.push(data)), pieceBytes)
  return [...events, ...decoder.end()]
}

/** Reads one run on LangGraph's classic wire. */
export function readClassic(text: string, pieceBytes?: number): RunEvent[] {
  const decoder = createLangGraphDecoder({ run: 'r' })
  const events: RunEvent[] = []
  readStream(text, (event, data) => events.push(...decoder.push(event, JSON.parse(data))), pieceBytes)
  return [...events, ...decoder.end()]
}

/** Reads frames of the agent streaming protocol, which may hold several runs. */
export function readAgentStream(text: string, pieceBytes?: number): RunEvent[] {
  const events: RunEvent[] = []
  let asked: string[] = []
  let runs = 0
  let decoder = createAgentStreamDecoder({ run: `r${runs}` })
  const read = (_event: string, data: string) => {
    if (decoder.isOver) decoder = createAgentStreamDecoder({ run: `r${++runs}`, resume: asked })
    const more = decoder.push(JSON.parse(data))
    asked = [...asked, ...more.flatMap((event) => (event.type === 'interrupt' ? [event.id] : []))]
    events.push(...more)
  }
  readStream(text, read, pieceBytes)
  return events
}
