import { createClient, systemTiming, type Timing } from '@rivulet/client'
import { useStream, type StreamOptions, type StreamResult } from '@rivulet/react'
import { createApp, memoryStore, type App, type AppOptions, type ServedGraph, type Store } from '@rivulet/server'
import { act, cleanup, render } from '@testing-library/react'
import { StrictMode, type ReactNode } from 'react'
import { afterEach, beforeEach, vi } from 'vitest'
import { badNetwork, type Trouble } from '../../stack/bad-network.ts'
import { told } from '../../stack/recorded-store.ts'
import { seeded } from '../../stack/seeded.ts'
import { takeDigest } from '../../stack/take-platform.ts'

export const THREAD = 'thread'

/** One exchange between a page and the server, while it lasts. */
export interface Exchange {
  readonly method: string
  readonly path: string
  isOpen: boolean
}

/** A page that shows a thread, in StrictMode. */
export interface Page {
  /** What the hook gave last. */
  readonly stream: StreamResult
  /** Texts of the messages on the page. */
  readonly texts: readonly string[]
  /** Every list of texts that was ever on the page, in order. */
  readonly shown: readonly (readonly string[])[]
  /** How often the page was rendered. */
  readonly renders: number
  /** Everything that the thread's events add up to, as text. */
  readonly told: string
  readonly errors: readonly unknown[]
  readonly exchanges: readonly Exchange[]
  show(options: Partial<Options>): void
  unmount(): void
}

type Options = Omit<StreamOptions, 'url' | 'transport' | 'client'>

/** A server in memory, with pages that reach it over a network that may be bad. Time is fake. */
export interface Rig {
  readonly app: App
  readonly store: Store
  /** The server that answers from now on. */
  replace(app: App): void
  page(given?: PageOptions): Page
  /** What the log says at its head, as text. */
  toldByLog(thread?: string): Promise<string>
}

export interface PageOptions {
  options?: Partial<Options>
  trouble?: (exchange: number) => Trouble
  headers?: (why: { rejected: boolean }) => Record<string, string>
  timing?: Partial<Timing>
  maxEventBytes?: number
}

/** Registers fake time and the tidying up for the tests of a file. */
export function rigs(): (graph: ServedGraph, options?: Partial<AppOptions>) => Rig {
  const apps: App[] = []
  let giveBack = () => {}
  beforeEach(() => {
    giveBack = takeDigest()
    vi.useFakeTimers({
      toFake: [
        ...(['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const),
        ...(['requestAnimationFrame', 'cancelAnimationFrame', 'performance', 'Date'] as const),
      ],
    })
  })
  afterEach(async () => {
    cleanup()
    await advance(0)
    vi.useRealTimers()
    giveBack()
    for (const app of apps.splice(0)) await app.close({ graceMs: 0 })
  })
  return (graph, options = {}) => {
    const store = options.store ?? memoryStore()
    const app = createApp({ graphs: { chat: graph }, store, onError: () => undefined, ...options })
    apps.push(app)
    return rigOf(app, store, (other) => apps.push(other))
  }
}

function rigOf(first: App, store: Store, keep: (app: App) => void): Rig {
  let app = first
  return {
    app: first,
    store,
    replace(other) {
      keep(other)
      app = other
    },
    page: (given = {}) => openPage((request) => app.fetch(request), given),
    async toldByLog(thread = THREAD) {
      const log = await store.openLog('', thread)
      return told(await log.snapshot())
    },
  }
}

function openPage(serve: App['fetch'], { options = {}, trouble = () => ({}), headers, ...given }: PageOptions): Page {
  const exchanges: Exchange[] = []
  const errors: unknown[] = []
  const results: StreamResult[] = []
  const shown: (readonly string[])[] = []
  const time = { touch: () => undefined, after: (ms: number, fn: () => void) => systemTiming.after(ms, fn) }
  const network = badNetwork(serve, trouble, time, seeded(1))
  const client = createClient({
    url: 'http://server.test',
    fetch: (address, init) => watched(network, exchanges, address, init),
    headers,
    timing: { ...systemTiming, random: () => 0, ...given.timing },
    ...(given.maxEventBytes !== undefined && { maxEventBytes: given.maxEventBytes }),
  })
  function Shown(props: Partial<Options>): ReactNode {
    const onError = (error: unknown) => errors.push(error)
    const stream = useStream({ threadId: THREAD, onError, ...props, client, graph: 'chat' })
    results.push(stream)
    shown.push(stream.messages.map(({ content }) => content))
    return <output>{stream.status}</output>
  }
  const inStrictMode = (props: Partial<Options>) => (
    <StrictMode>
      <Shown {...props} />
    </StrictMode>
  )
  const { rerender, unmount } = render(inStrictMode(options))
  return {
    get stream() {
      return results.at(-1)!
    },
    get texts() {
      return results.at(-1)!.messages.map(({ content }) => content)
    },
    get renders() {
      return results.length
    },
    get told() {
      return told(results.at(-1)!.handle.getSnapshot().state)
    },
    shown,
    errors,
    exchanges,
    show: (props) => rerender(inStrictMode({ ...options, ...props })),
    unmount,
  }
}

async function watched(
  network: typeof fetch,
  exchanges: Exchange[],
  ...[address, init]: Parameters<typeof fetch>
): Promise<Response> {
  const { pathname } = new URL(address as string)
  const exchange = { method: init?.method ?? 'GET', path: pathname, isOpen: true }
  exchanges.push(exchange)
  const end = () => void (exchange.isOpen = false)
  init?.signal?.addEventListener('abort', end)
  try {
    const response = await network(address, init)
    if (response.body === null || !response.headers.get('content-type')?.startsWith('text/event-stream')) end()
    return response
  } catch (error) {
    end()
    throw error
  }
}

/** Turns of the event loop in which everything in this process that needs no time comes to rest. */
const TURNS = 12
/** Time that passes between two rests, at most in so many steps. */
const STEP_MS = 20
const STEPS = 50

/** Lets this much time pass, and two frames, and everything come to rest on the way and after. */
export async function advance(ms: number): Promise<void> {
  const stepMs = Math.max(STEP_MS, ms / STEPS)
  await rest(TURNS)
  for (let passed = 0; passed < ms; passed += stepMs) {
    // What a step brings is drawn before the next one.
    await act(() => vi.advanceTimersByTimeAsync(stepMs))
    await rest(3)
  }
  await rest(TURNS)
  await act(() => vi.advanceTimersByTimeAsync(34))
  await rest(TURNS)
}

async function rest(turns: number): Promise<void> {
  await act(async () => {
    for (let turn = 0; turn < turns; turn++) {
      await new Promise((resolve) => void setImmediate(resolve))
      await vi.advanceTimersByTimeAsync(0)
    }
  })
}
