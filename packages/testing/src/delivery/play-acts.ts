import type { Timing } from '@rivulet/client'
import type { Act } from '../faults/act.ts'
import { sleep } from '../pump/clock.ts'

/** What acts are played with. */
export interface Playing {
  timing: Timing
  /** Aborts when nobody reads any more. */
  signal: AbortSignal
  /** Resolves when a connection opened later has been answered, or the signal aborted. */
  overtaken(): Promise<void>
  /** Told of every act that was played. */
  onAct(): void
}

/** What comes of a schedule, once waits are over: the head, bytes, and the end. Nothing for a stall. */
export type Played = Extract<Act, { type: 'head' | 'bytes' | 'close' }>

/** Plays acts one after another as they are asked for. A stall is waited out until the signal aborts. */
export async function* playActs(acts: AsyncIterable<Act>, playing: Playing): AsyncGenerator<Played, void> {
  const { timing, signal } = playing
  for await (const act of acts) {
    playing.onAct()
    if (act.type === 'wait') await sleep(act.delayMs, timing, signal)
    else if (act.type === 'hold') await playing.overtaken()
    else if (act.type === 'stall') await aborted(signal)
    // Whatever writes frames has written them before.
    else if (act.type !== 'frame') yield act
    if (signal.aborted) return
  }
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/**
 * The answer that played acts make up: its body is read lazily, closes on `fin` and fails on `rst`. `onClosed` is told
 * once, when the body has ended or its reader has left. Rejects when nothing is answered at all.
 */
export async function responseOf(played: AsyncGenerator<Played, void>, onClosed: () => void): Promise<Response> {
  const first = await played.next()
  if (first.done || first.value.type !== 'head') {
    onClosed()
    throw new TypeError('fetch failed: the connection was closed before an answer')
  }
  const { status, headers } = first.value
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await played.next()
        if (!done && value.type === 'bytes') return controller.enqueue(value.bytes)
        onClosed()
        if (!done && value.type === 'close' && value.how === 'rst') {
          controller.error(new TypeError('terminated: the connection was reset'))
        } else controller.close()
      },
      cancel: onClosed,
    },
    // Nothing is read ahead: what was asked for is what the reader has taken.
    { highWaterMark: 0 },
  )
  return new Response(hasNoBody(status) ? null : body, { status, headers })
}

/** Statuses with which an answer may not have a body. */
function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304
}
