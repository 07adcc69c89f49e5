import { createHash } from 'node:crypto'
import type { Seeded } from './seeded.ts'
import type { VirtualTime } from './virtual-time.ts'

class Timer {
  cancel: () => void = () => undefined
  ref = (): this => this
  unref = (): this => this
  hasRef = (): boolean => true
}

type Callback = (...given: unknown[]) => void

/**
 * Takes the place of the platform's timers, clocks and chance, so that the parts that are given none run on this time,
 * and the same seed always does the same. Answers how to give them back.
 */
export function takePlatform(time: VirtualTime, random: Seeded): () => void {
  const stop = (timer: unknown) => {
    if (timer instanceof Timer) timer.cancel()
  }
  const start = (fn: Callback, delayMs = 0, ...given: unknown[]) => {
    const timer = new Timer()
    timer.cancel = time.after(delayMs, () => fn(...given))
    return timer
  }
  const repeat = (fn: Callback, delayMs = 0, ...given: unknown[]) => {
    const timer = new Timer()
    const again = () => {
      timer.cancel = time.after(delayMs, () => {
        again()
        fn(...given)
      })
    }
    again()
    return timer
  }
  const undo = [
    put(globalThis, { setTimeout: start, clearTimeout: stop, setInterval: repeat, clearInterval: stop }),
    put(Date, { now: () => time.epochMs() }),
    put(performance, { now: () => time.now() }),
    put(Math, { random: () => random.next() }),
    put(crypto, {
      getRandomValues: (bytes: Uint8Array) => bytes.map(() => random.below(256)),
    }),
    takeDigest(),
  ]
  return () => {
    for (const one of undo) one()
  }
}

/** Digests at once: the platform's own comes back from another thread, sooner or later. Answers how to give it back. */
export function takeDigest(): () => void {
  return put(crypto.subtle, {
    digest: (_name: string, bytes: Uint8Array) =>
      Promise.resolve(new Uint8Array(createHash('sha256').update(bytes).digest()).buffer),
  })
}

/** Puts these in place of an object's own or inherited properties. Answers how to undo that. */
function put(target: object, values: Readonly<Record<string, unknown>>): () => void {
  const before = Object.keys(values).map((name) => [name, Object.getOwnPropertyDescriptor(target, name)] as const)
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(target, name, { value, configurable: true, writable: true })
  }
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(target, name)
      else Object.defineProperty(target, name, descriptor)
    }
  }
}
