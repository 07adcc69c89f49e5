import { createSseDecoder } from '@rivulet/protocol'
import { onTestFinished } from 'vitest'
import { createApp, type App, type AppOptions } from '../../src/index.ts'
import { langGraphApi } from '../../src/langgraph-api/index.ts'

/** A block of a classic stream as it was read. */
export interface Block {
  event: string
  data: unknown
  id: string | undefined
}

/** An app that speaks LangGraph's protocols, asked without a network. */
export interface Peer {
  app: App
  /** Errors of the server's own: a test that expects none checks that there are none. */
  errors: unknown[]
  get(path: string, headers?: Record<string, string>): Promise<Response>
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>
  /** What a request with this body answers, as JSON. */
  json(method: string, path: string, body?: unknown): Promise<unknown>
}

export function startPeer(options: AppOptions): Peer {
  const errors: unknown[] = []
  const app = createApp({ onError: (error) => errors.push(error), apis: [langGraphApi()], ...options })
  onTestFinished(() => app.close({ graceMs: 0 }))
  const send: Peer['send'] = (method, path, body, headers = {}) =>
    app.fetch(
      new Request(`http://localhost${path}`, {
        method,
        headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    )
  return {
    app,
    errors,
    send,
    get: (path, headers) => send('GET', path, undefined, headers),
    json: async (method, path, body) => (await send(method, path, body)).json(),
  }
}

/** Reads a stream's blocks one by one. */
export class BlockReader {
  readonly response: Response
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #blocks: Block[] = []
  readonly #decoder = createSseDecoder({
    onEvent: ({ event, data, id }) => this.#blocks.push({ event, data: JSON.parse(data), id }),
  })

  constructor(response: Response) {
    this.response = response
    this.#reader = response.body!.getReader()
  }

  async next(): Promise<Block | undefined> {
    for (;;) {
      const block = this.#blocks.shift()
      if (block !== undefined) return block
      const { done, value } = await this.#reader.read()
      if (done) return undefined
      this.#decoder.push(value)
    }
  }

  /** Blocks up to the one that `test` takes, or up to the end. */
  async until(test: (block: Block) => boolean): Promise<Block[]> {
    const blocks: Block[] = []
    for (;;) {
      const block = await this.next()
      if (block === undefined) return blocks
      blocks.push(block)
      if (test(block)) return blocks
    }
  }

  all(): Promise<Block[]> {
    return this.until(() => false)
  }

  cancel(): Promise<void> {
    return this.#reader.cancel()
  }
}

/** The data of the blocks of one kind. */
export function dataOf(blocks: readonly Block[], event: string): unknown[] {
  return blocks.filter((block) => block.event === event).map(({ data }) => data)
}

/** What a client that adds up messages as LangGraph's own does has in the end: texts by id, in order. */
export function addedUp(blocks: readonly Block[]): Map<string, string> {
  const texts = new Map<string, string>()
  for (const { event, data } of blocks) {
    if (event !== 'messages') continue
    // As the stream writes it.
    const [{ type, id, content }] = data as [{ type: string; id: string; content: unknown }]
    if (type === 'remove') texts.delete(id)
    else texts.set(id, (texts.get(id) ?? '') + textOf(content))
  }
  return texts
}

/** The text of a content, which may be a list of blocks. */
function textOf(content: unknown): string {
  if (!Array.isArray(content)) return String(content)
  return content.map((block: { text?: string }) => block.text ?? '').join('')
}
