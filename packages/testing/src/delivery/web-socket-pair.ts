/** What a `WebSocket` tells its listeners. */
interface SocketEvents {
  open: object
  message: { data: unknown }
  error: object
  close: { code: number }
}

/** One end of a pair: what both a browser's `WebSocket` and that of the package `ws` have. */
export interface PairedSocket {
  addEventListener<T extends keyof SocketEvents>(type: T, listener: (event: SocketEvents[T]) => void): void
  /** Says something to the other end. Nothing once either end is closed. */
  send(text: string): void
  /** Closes both ends. Default code 1000. */
  close(code?: number): void
}

/** An end of a pair, with what only a test does to it. */
export interface PairEnd extends PairedSocket {
  /** The connection breaks off: the other end is told by an `error` and a close with 1006. */
  break(): void
}

/**
 * Two WebSockets that are connected to each other in this process. Everything arrives in order, and never during the call
 * that sends it; both ends open first.
 */
export function webSocketPair(): readonly [client: PairEnd, server: PairEnd] {
  let isClosed = false
  const ends = [createListeners(), createListeners()] as const
  const end = (own: Listeners, other: Listeners): PairEnd => {
    const finish = (code: number) => {
      if (isClosed) return
      isClosed = true
      if (code === BROKEN) other.tell('error', {})
      for (const one of [own, other]) one.tell('close', { code })
    }
    return {
      addEventListener: own.add,
      send: (text) => void (isClosed || other.tell('message', { data: text })),
      close: (code = 1000) => finish(code),
      break: () => finish(BROKEN),
    }
  }
  for (const one of ends) one.tell('open', {})
  return [end(ends[0], ends[1]), end(ends[1], ends[0])]
}

/** The code of a socket that was not closed in so many words. */
const BROKEN = 1006

interface Listeners {
  readonly add: PairedSocket['addEventListener']
  /** Tells the listeners, in a turn of its own. */
  tell<T extends keyof SocketEvents>(type: T, event: SocketEvents[T]): void
}

function createListeners(): Listeners {
  const byType: { [T in keyof SocketEvents]: ((event: SocketEvents[T]) => void)[] } = {
    open: [],
    message: [],
    error: [],
    close: [],
  }
  return {
    add: (type, listener) => void byType[type].push(listener),
    tell(type, event) {
      queueMicrotask(() => {
        for (const listener of byType[type]) listener(event)
      })
    },
  }
}
