import { langgraph, plain, type QueuedRun } from '@rivulet/client'
import { END, messages, START, state, StateGraph, value } from '@rivulet/core'
import type { RivuletError, ToolCallState } from '@rivulet/protocol'
import { useBranches } from '../branches/use-branches.ts'
import { useStream as useLegacyStream } from '../langgraph/index.ts'
import { useSubgraphs, type Subgraph } from '../selectors/use-subgraphs.ts'
import { useProgress, useToolCall } from '../selectors/use-tool-call.ts'
import { useStream } from './use-stream.ts'

const graph = new StateGraph(state({ topic: value<string>(), messages: messages() }), {
  custom: value<{ percent: number }>(),
  interrupt: value<{ question: string }>(),
  resume: value<boolean>(),
})
  .addNode('write', ({ topic }) => ({ topic }))
  .addEdge(START, 'write')
  .addEdge('write', END)
  .compile()

/** Compiles only when both are the same type. */
function same<A>(): <B>(_value: B, ..._proof: [A, B] extends [B, A] ? [] : [never]) => void {
  return () => {}
}

/** The types of a conversation: what waits, what is asked, what is done again. */
export function useTypedConversation(): void {
  const stream = useStream<typeof graph>({ url: '/agents', graph: 'agent' })
  same<readonly QueuedRun[]>()(stream.queue)
  same<Promise<void>>()(stream.stop(stream.queue[0]?.run))
  void stream.submit({ topic: 'cats' }, { multitask: 'enqueue', onInterrupted: 'discard' })
  // @ts-expect-error: there is no such strategy
  void stream.submit({ topic: 'cats' }, { multitask: 'wait' })
  // @ts-expect-error: a question is answered, refused or given up
  void stream.submit({ topic: 'cats' }, { onInterrupted: 'queue' })
  void stream.respondAll({ i1: true, i2: false })
  // @ts-expect-error: answers are yes or no
  void stream.respondAll({ i1: 'yes' })
  void stream.edit('m', { messages: 'better' })
  // @ts-expect-error: an edit is input of the graph
  void stream.edit('m', { topik: 'better' })

  const { count, next, error } = useBranches(stream.handle, 'm')
  same<number>()(count)
  same<Promise<void>>()(next())
  same<RivuletError | undefined>()(error)
  same<readonly Subgraph[]>()(useSubgraphs(stream.handle))
  same<ToolCallState | undefined>()(useToolCall(stream.handle, 'c1'))
  same<readonly ToolCallState[]>()(stream.toolCalls)
  same<{ percent: number } | undefined>()(useProgress(stream.handle, 'c1')?.data)
  // @ts-expect-error: nodes do not write this
  void useProgress(stream.handle, 'download')?.data.done
  void stream.submit({ topic: 'cats' }, { goto: ['write'] })
  // @ts-expect-error: the graph has no such node
  void stream.submit({ topic: 'cats' }, { goto: ['rite'] })
}

/** Foreign backends take the same hook; a graph's types may be said of them too. */
export function useForeignBackends(): void {
  const transport = langgraph({ apiUrl: '/langgraph' })
  same<string | undefined>()(useStream<typeof graph>({ transport, graph: 'agent' }).values.topic)
  same<unknown>()(useStream({ transport: plain({ url: '/ask' }), graph: 'chat' }).values['anything'])
  // @ts-expect-error: a backend is reached in one way
  useStream({ transport, url: '/agents', graph: 'agent' })
  // @ts-expect-error: this is no transport
  useStream({ transport: { stream: () => {} }, graph: 'agent' })
}

/** The legacy hook's names, typed by the graph. */
export function useTypedLegacy(): void {
  const stream = useLegacyStream<typeof graph>({
    apiUrl: '/langgraph',
    assistantId: 'agent',
    onCustomEvent: (data, { mutate }) => mutate({ topic: String(data.percent) }),
  })
  same<string | undefined>()(stream.values.topic)
  same<string | undefined>()(stream.interrupt?.value.question)
  same<'human' | 'ai' | 'system' | 'tool'>()(stream.messages[0]!.type)
  void stream.submit({ topic: 'cats' }, { multitaskStrategy: 'rollback' })
  void stream.submit(null, { command: { resume: true } })
  // @ts-expect-error: a topic is text
  void stream.submit({ topic: 1 })
  // @ts-expect-error: an assistant must be named
  useLegacyStream({ apiUrl: '/langgraph' })
}
