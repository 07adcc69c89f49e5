import {
  isolate,
  langgraph,
  type Client,
  type PendingInterruptOf,
  type RunResult,
  type Transport,
  type ValuesOf,
} from '@rivulet/client'
import type { Namespace, RivuletError, RivuletEvent, TypedGraph, TypesOf, UntypedGraph } from '@rivulet/protocol'
import { useCallback, useMemo, useState } from 'react'
import { useStream as useOwnStream } from '../stream/use-stream.ts'
import type { StreamHandle } from '../stream/stream.ts'
import type { StreamSource } from '../stream/use-instance.ts'
import type { StreamResult } from '../stream/use-tracked.ts'
import { toLegacyMessage, type LegacyMessage } from './legacy-message.ts'
import { fromLegacySubmit, type LegacySubmitOptions } from './legacy-submit.ts'
import { metadataOf, type MessageMetadata } from './message-metadata.ts'

/** Beside an event's data: where it came from, and a way to lay values over the state until the run says what it is. */
export interface LegacyEventContext {
  readonly namespace: Namespace | undefined
  readonly mutate: (
    change:
      | Readonly<Record<string, unknown>>
      | ((before: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>),
  ) => void
}

/**
 * Where the backend is: a LangGraph server at `apiUrl`, one of ours at `url`, or anything a transport or a client
 * reaches. What is given at first is kept.
 */
export type LegacySource =
  | {
      apiUrl: string
      /** Sent as `x-api-key`. */
      apiKey?: string | undefined
      defaultHeaders?: Readonly<Record<string, string>> | undefined
      url?: undefined
      transport?: undefined
      client?: undefined
    }
  | { url: string; apiUrl?: undefined; transport?: undefined; client?: undefined }
  | { transport: Transport; apiUrl?: undefined; url?: undefined; client?: undefined }
  | { client: Client; apiUrl?: undefined; url?: undefined; transport?: undefined }

function sourceOf(options: LegacySource & { assistantId: string }): StreamSource {
  const { apiUrl, url, transport, client } = options
  if (client !== undefined) return { client }
  if (transport !== undefined) return { transport }
  if (apiUrl === undefined) return { url }
  const key = options.apiKey === undefined ? undefined : { 'x-api-key': options.apiKey }
  const headers = { ...options.defaultHeaders, ...key }
  return { transport: langgraph({ apiUrl, assistantId: options.assistantId, headers }) }
}

/** Options of the legacy hook, as far as they mean something here. */
export type LegacyOptions<G extends TypedGraph = UntypedGraph> = LegacySource & {
  /** Name of the graph. */
  assistantId: string
  threadId?: string | null | undefined
  onThreadId?: ((threadId: string) => void) | undefined
  messagesKey?: string | undefined
  initialValues?: ValuesOf<G> | undefined
  /** Least time between two renders in milliseconds; `true`, the default, is one frame, `false` every change. */
  throttle?: number | boolean | undefined
  onCreated?: ((run: { run_id: string; thread_id: string | undefined }) => void) | undefined
  onFinish?: ((state: { values: ValuesOf<G> }, run: { run_id: string }) => void) | undefined
  onError?: ((error: RivuletError) => void) | undefined
  /** Asks for updates, too. */
  onUpdateEvent?: ((update: Readonly<Record<string, unknown>>, context: LegacyEventContext) => void) | undefined
  onCustomEvent?: ((data: TypesOf<G>['custom'], context: LegacyEventContext) => void) | undefined
}

/** What the legacy hook returned, with `handle` for the selectors of `@rivulet/react`. */
export interface LegacyStream<G extends TypedGraph = UntypedGraph> {
  readonly values: ValuesOf<G>
  readonly messages: readonly LegacyMessage[]
  readonly isLoading: boolean
  /** Another name of `isLoading`. */
  readonly isStreaming: boolean
  readonly isThreadLoading: boolean
  readonly error: RivuletError | undefined
  readonly interrupt: PendingInterruptOf<G> | undefined
  readonly interrupts: readonly PendingInterruptOf<G>[]
  readonly toolCalls: StreamResult<G>['toolCalls']
  /** Resolves when the run has ended, however it did. */
  readonly submit: (values: TypesOf<G>['input'] | null | undefined, options?: LegacySubmitOptions) => Promise<void>
  /** Another name of `submit`. */
  readonly start: (values: TypesOf<G>['input'] | null | undefined, options?: LegacySubmitOptions) => Promise<void>
  readonly stop: () => Promise<void>
  /** Shows another thread, or a new one, until `threadId` changes. */
  readonly switchThread: (threadId: string | null) => void
  /** Runs are joined by themselves; resolves when this one has ended. */
  readonly joinStream: (run: string) => Promise<void>
  readonly getMessagesMetadata: (message: LegacyMessage) => MessageMetadata
  readonly assistantId: string
  readonly client: Client
  readonly handle: StreamHandle<G>
}

type Values = Readonly<Record<string, unknown>>

/**
 * `useStream` under the names of the legacy hook of `@langchain/langgraph-sdk/react`, for moving a page over piece by
 * piece. It renders the component for everything a thread does: give `handle` to the selectors where that is too much.
 * `submit` throws `UNSUPPORTED` for a `Send` in `command.goto`.
 */
export function useStream<G extends TypedGraph = UntypedGraph>(options: LegacyOptions<G>): LegacyStream<G> {
  const { assistantId, messagesKey = 'messages', throttle, onCreated, onFinish, onUpdateEvent, onCustomEvent } = options
  const [laidOver, setLaidOver] = useState<Values>()
  const [chosen, setChosen] = useState<Chosen>({ threadId: options.threadId, byProp: options.threadId })
  const threadId = chosen.byProp === options.threadId ? chosen.threadId : options.threadId
  const [source] = useState(() => sourceOf(options))
  const contextOf = ({ ns }: { ns?: Namespace }): LegacyEventContext => ({
    namespace: ns,
    mutate: (change) =>
      setLaidOver((before = {}) => ({
        ...before,
        ...(typeof change === 'function' ? change({ ...valuesOf(), ...before }) : change),
      })),
  })
  const onEvent = (event: RivuletEvent) => {
    if (event.type === 'run.start') isolate(onCreated, { run_id: event.run, thread_id: stream.handle.thread.id })
    // From here on the run itself says what the state is.
    if ((event.type === 'values' && event.ns === undefined) || event.type === 'run.end') setLaidOver(undefined)
    if (event.type === 'updates') isolate(onUpdateEvent, { [event.node ?? '']: event.update }, contextOf(event))
    if (event.type === 'custom') isolate(onCustomEvent, event.data, contextOf(event))
  }
  const stream = useOwnStream<G>({
    ...source,
    graph: assistantId,
    threadId,
    messagesKey,
    initialValues: options.initialValues,
    throttle: typeof throttle === 'boolean' ? (throttle ? undefined : 0) : throttle,
    modes: onUpdateEvent && ['updates'],
    onThreadId: options.onThreadId,
    onError: options.onError,
    onFinish: ({ values }: RunResult<G>, run) => onFinish?.({ values }, { run_id: run }),
    onEvent,
  })
  const { handle, submit: begin, stop: end } = stream
  // A graph's state is an object of its keys.
  const valuesOf = () => handle.getSnapshot().values as Values
  const submit = useCallback(
    async (values: unknown, given?: LegacySubmitOptions) => {
      const { input, options: own } = fromLegacySubmit(values, messagesKey, given)
      const { optimisticValues: shown } = given ?? {}
      const before = handle.getSnapshot().values as Values
      if (shown !== undefined) setLaidOver(typeof shown === 'function' ? shown(before) : shown)
      await begin(input, own).result
    },
    [begin, handle, messagesKey],
  )
  // As a click's listener it is handed an event, which is no run's id.
  const stop = useCallback(() => end(), [end])
  const switchThread = useCallback(
    (next: string | null) => setChosen({ threadId: next, byProp: options.threadId }),
    [options.threadId],
  )
  const joinStream = useCallback((run: string) => untilEnded(handle as unknown as StreamHandle, run), [handle])
  const getMessagesMetadata = useCallback((message: LegacyMessage) => metadataOf(message, handle.thread.id), [handle])
  const messages = useMemo(() => stream.messages.map(toLegacyMessage), [stream.messages])
  const values = useMemo(() => ({ ...stream.values, ...laidOver }) as ValuesOf<G>, [stream.values, laidOver])
  return {
    values,
    messages,
    isLoading: stream.isLoading,
    isStreaming: stream.isLoading,
    isThreadLoading: stream.status === 'loading',
    error: stream.error,
    interrupt: stream.interrupts[0],
    interrupts: stream.interrupts,
    toolCalls: stream.toolCalls,
    submit,
    start: submit,
    stop,
    switchThread,
    joinStream,
    getMessagesMetadata,
    assistantId,
    client: handle.client,
    handle,
  }
}

/** The thread that is shown, and the `threadId` option at the time it was chosen. */
interface Chosen {
  readonly threadId: string | null | undefined
  readonly byProp: string | null | undefined
}

function untilEnded({ thread }: StreamHandle, run: string): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      const status = thread.facts.state.runs.get(run)?.status
      if (status === undefined || status === 'running') return
      leave()
      resolve()
    }
    const leave = thread.subscribe(check)
    check()
  })
}
