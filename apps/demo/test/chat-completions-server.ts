import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the server was asked, as far as tests look at it. */
export interface ChatRequest {
  model: string
  stream: boolean
  messages: { role: string; content: unknown; tool_calls?: unknown; tool_call_id?: string }[]
  tools?: { type: string; function: { name: string; parameters: unknown } }[]
}

/** Answers one request; called with the number of requests before it. */
export type ChatHandler = (request: ChatRequest, response: ServerResponse, count: number) => void | Promise<void>

/** A server on the loopback that speaks the streamed form of the chat completions API. */
export interface ChatServer {
  /** Address with its version, as `OPENAI_BASE_URL` takes it. */
  url: string
  requests: ChatRequest[]
  close: () => Promise<void>
}

/** Starts a {@link ChatServer} on a free port. */
export async function chatServer(handler: ChatHandler): Promise<ChatServer> {
  const requests: ChatRequest[] = []
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = ''
    for await (const piece of incoming.setEncoding('utf8')) body += String(piece)
    // The tests' own client wrote it.
    const request = JSON.parse(body) as ChatRequest
    requests.push(request)
    await handler(request, response, requests.length - 1)
  }
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Writes chunks of a completion as server-sent events; `end: false` leaves out `[DONE]` and drops the connection. */
export function writeChunks(
  response: ServerResponse,
  deltas: readonly { delta?: object; finish_reason?: string; usage?: object }[],
  { end = true }: { end?: boolean } = {},
): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const { delta = {}, finish_reason = null, usage } of deltas) {
    const choices = usage ? [] : [{ index: 0, delta, finish_reason }]
    const chunk = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 0, model: 'test', choices, usage }
    response.write(`data: ${JSON.stringify(chunk)}\n\n`)
  }
  response.end(end ? 'data: [DONE]\n\n' : '')
}

/** Answers with an error as the API does. */
export function writeError(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message } }))
}
