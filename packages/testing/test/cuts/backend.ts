import { encodeFrame, encodeSocketFrame, wireState, type Frame } from '@rivulet/protocol'
import type { Recording } from './recordings.ts'

/** What a client asks for when it opens a stream. */
export interface Asked {
  run: string
  after: string | undefined
}

/** Serves a recording to one client: the frames of a stream, and whether it is the first one of its run. */
export type Backend = (asked: Asked) => Promise<{ frames: readonly Frame[]; isFirst: boolean }>

/** A backend that plays each run to whoever asks first, and then has it in its log. */
export function backendOf({ runs, again }: Recording): Backend {
  const begun = new Set<string>()
  return async ({ run, after }) => {
    if (begun.has(run)) return { frames: await again(run, after), isFirst: false }
    begun.add(run)
    return { frames: runs.find(({ id }) => id === run)!.frames, isFirst: true }
  }
}

/** What a request to our server's routes asks for. */
export function askedOverHttp({ searchParams }: URL, body: unknown): Asked {
  // The client under test wrote it.
  if (typeof body === 'string' && body !== '') return JSON.parse(body) as Asked
  return { run: searchParams.get('until') ?? '', after: searchParams.get('after') ?? undefined }
}

/** What a client's frame asks for; `undefined` when it asks for no stream. */
export function askedOverSocket(said: string): Asked | undefined {
  // The client under test wrote it.
  const { type, after, until, start } = JSON.parse(said) as {
    type: string
    after?: string
    until?: string
    start?: { run: string }
  }
  return type === 'open' ? { run: start?.run ?? until ?? '', after } : undefined
}

const text = new TextEncoder()
const bodies = new WeakMap<readonly Frame[], Uint8Array<ArrayBuffer>>()

/** The bytes of a stream over HTTP. */
export function bodyOf(frames: readonly Frame[]): Uint8Array<ArrayBuffer> {
  const body = bodies.get(frames) ?? text.encode(blocksOf(frames).join(''))
  bodies.set(frames, body)
  return body
}

/** The places behind the blocks of a body, in bytes: its start, and where each of them ends. */
export function bordersOf(frames: readonly Frame[]): readonly number[] {
  let at = 0
  return [0, ...blocksOf(frames).map((block) => (at += text.encode(block).length))]
}

function blocksOf(frames: readonly Frame[]): string[] {
  const wire = wireState()
  return frames.map((frame) => encodeFrame(frame, wire))
}

/** The frames of a stream as a socket carries them. */
export function socketTexts(frames: readonly Frame[]): readonly string[] {
  const wire = wireState()
  return frames.map((frame) => encodeSocketFrame(frame, wire))
}
