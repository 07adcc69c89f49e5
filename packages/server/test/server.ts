import {
  createFrameDecoder,
  foldAll,
  emptyState,
  type Frame,
  type RivuletEvent,
  type ThreadState,
} from '@rivulet/protocol'
import { onTestFinished } from 'vitest'
import { createApp, type App, type AppOptions } from '../src/index.ts'
import { serve, type ServeOptions } from '../src/node/index.ts'

/** A server of one test, gone with it. */
export interface TestServer {
  app: App
  url: string
  /** Errors of the server's own: a test that expects none checks that there are none. */
  errors: unknown[]
  close: (graceMs?: number) => Promise<void>
  get: (path: string, headers?: Record<string, string>) => Promise<Response>
  post: (path: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>
  /** Posts a run and reads its stream. */
  run: (thread: string, body: object) => Promise<FrameReader>
  read: (path: string) => Promise<FrameReader>
}

export async function startServer(options: AppOptions, where: ServeOptions = {}): Promise<TestServer> {
  const errors: unknown[] = []
  const app = createApp({ onError: (error) => errors.push(error), ...options })
  const served = await serve(app, { port: 0, ...where })
  const { url } = served
  const close = (graceMs = 0): Promise<void> => served.close({ graceMs })
  onTestFinished(() => close())
  const get = (path: string, headers: Record<string, string> = {}) => fetch(url + path, { headers })
  const post = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
    fetch(url + path, {
      method: 'POST',
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
  return {
    app,
    url,
    errors,
    close,
    get,
    post,
    run: async (thread, body) =>
      new FrameReader(await post(`/v1/threads/${thread}/runs`, body, { accept: 'text/event-stream' })),
    read: async (path) => new FrameReader(await get(path)),
  }
}

/** Reads the own wire of a response. */
export class FrameReader {
  readonly response: Response
  /** The body as it came, for tests of what the wire looks like. */
  text = ''
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #decoder = createFrameDecoder()
  readonly #bytes = new TextDecoder()
  #frames: Frame[] = []

  constructor(response: Response) {
    this.response = response
    this.#reader = response.body!.getReader()
  }

  /** The next frame; `undefined` at the end of the body. */
  async next(): Promise<Frame | undefined> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame !== undefined) return frame
      const { done, value } = await this.#reader.read()
      if (done) {
        this.#decoder.end()
        return undefined
      }
      this.text += this.#bytes.decode(value, { stream: true })
      this.#frames = this.#decoder.push(value)
    }
  }

  /** Frames up to the one with an event that `test` takes, or up to the end. */
  async until(test: (event: RivuletEvent) => boolean): Promise<Frame[]> {
    const frames: Frame[] = []
    for (;;) {
      const frame = await this.next()
      if (frame === undefined) return frames
      frames.push(frame)
      if (frame.type === 'events' && frame.events.some(test)) return frames
    }
  }

  /** All frames to the end of the body. */
  all(): Promise<Frame[]> {
    return this.until(() => false)
  }

  cancel(): Promise<void> {
    return this.#reader.cancel()
  }
}

export const eventsIn = (frames: readonly Frame[]): RivuletEvent[] =>
  frames.flatMap((frame) => (frame.type === 'events' ? frame.events : []))

export const typesIn = (frames: readonly Frame[]): string[] => eventsIn(frames).map(({ type }) => type)

export const foldFrames = (frames: readonly Frame[], state: ThreadState = emptyState()): ThreadState =>
  frames.reduce((now, frame) => (frame.type === 'events' ? foldAll(now, frame.events) : now), state)
