import { createClient, plain } from '@rivulet/client'
import { END, messages, reduced, START, state, StateGraph, value } from '@rivulet/core'
import type { Message, RivuletEvent } from '@rivulet/protocol'
import { useEvents } from '../selectors/use-events.ts'
import { useMessage, useMessageIds } from '../selectors/use-messages.ts'
import { useSelect } from '../selectors/use-select.ts'
import { useValues } from '../selectors/use-values.ts'
import { useStreamContext } from './provider.tsx'
import { useStream } from './use-stream.ts'

const graph = new StateGraph(
  state({
    topic: value<string>(),
    jokes: reduced<string[], string>({ initial: () => [], reduce: (all, one) => [...all, one] }),
    messages: messages(),
  }),
  { custom: value<{ done: number }>(), interrupt: value<{ question: string }>(), resume: value<boolean>() },
)
  .addNode('write', ({ topic }) => ({ jokes: `about ${topic}` }))
  .addEdge(START, 'write')
  .addEdge('write', END)
  .compile()

/** Compiles only when both are the same type. */
function same<A>(): <B>(_value: B, ..._proof: [A, B] extends [B, A] ? [] : [never]) => void {
  return () => {}
}

/** The types of a page that names its graph. */
export function useTypedPage(): void {
  const stream = useStream<typeof graph>({
    url: '/agents',
    graph: 'agent',
    initialValues: { topic: 'cats' },
    onCustomEvent: (data, event) => {
      same<number>()(data.done)
      same<string | undefined>()(event.name)
      // @ts-expect-error: nodes do not write this
      void data.finished
    },
    onFinish: ({ values }) => same<string | undefined>()(values.topic),
  })
  const write = (result: typeof stream) => {
    // @ts-expect-error: a result cannot be written to
    result.messages = []
    // @ts-expect-error: nor can what it holds
    result.values.topic = 'dogs'
  }
  void write
  same<string | undefined>()(stream.values.topic)
  same<string[] | undefined>()(stream.values.jokes)
  same<Message[] | undefined>()(stream.values.messages)
  same<string>()(stream.interrupts[0]!.value.question)
  same<'sending' | 'failed' | undefined>()(stream.messages[0]!.delivery)
  // @ts-expect-error: the state has no such key
  void stream.values.topik

  void stream.submit({ topic: 'dogs', jokes: 'one', messages: 'hi' })
  void stream.submit({ messages: [{ role: 'user', content: 'hi' }] })
  void stream.submit()
  // @ts-expect-error: a topic is text
  void stream.submit({ topic: 1 })
  // @ts-expect-error: the input has no such key
  void stream.submit({ topik: 'dogs' })

  void stream.respond(true, { id: 'i1' })
  // @ts-expect-error: the answer is yes or no
  void stream.respond('yes')
  void stream.submit(undefined, { resume: { i1: true } })
  // @ts-expect-error: the answer is yes or no
  void stream.submit(undefined, { resume: 1 })

  void stream.submit({ topic: 'dogs' }).result.then(({ values, interrupts }) => {
    same<string | undefined>()(values.topic)
    same<{ question: string }>()(interrupts[0]!.value)
  })
}

/** The types of what components below read. */
export function useTypedSelectors(): void {
  const { handle } = useStream<typeof graph>({ url: '/agents', graph: 'agent' })
  same<readonly string[]>()(useMessageIds(handle, { node: 'write' }))
  same<string | undefined>()(useMessage(handle, 'm')?.content)
  same<number>()(useValues(handle, ({ topic = '' }) => topic.length))
  same<string[] | undefined>()(useSelect(handle, ({ values }) => values.jokes))
  // @ts-expect-error: the state has no such key
  useValues(handle, (values) => values.topik)
  same<string | undefined>()(useStreamContext<typeof graph>().values.topic)
  useEvents(handle, { type: 'message.delta' }, ({ text, at }) => {
    same<string>()(text)
    same<number>()(at)
  })
  useEvents(handle, {}, (event) => same<RivuletEvent>()(event))
  useEvents(handle, { type: 'custom', ns: [] }, ({ data, name }) => {
    same<number>()(data.done)
    same<string | undefined>()(name)
    // @ts-expect-error: nodes do not write this
    void data.finished
  })
  useEvents(handle, { type: ['updates', 'interrupt'], ns: [] }, (event) => {
    if (event.type === 'updates') same<string | undefined>()(event.update.topic)
    else same<string>()(event.value.question)
  })
  // A graph inside this one writes what it likes.
  useEvents(handle, { type: 'custom' }, ({ data }) => same<unknown>()(data))
  // @ts-expect-error: there is no event of this type
  useEvents(handle, { type: 'token' }, () => {})
}

/** The types of a page that names none. */
export function useUntypedPage(): void {
  const stream = useStream({ url: '/agents', graph: 'agent', threadId: null })
  same<unknown>()(stream.values['anything'])
  void stream.submit({ anything: 1 })
  void stream.respond('whatever')
  // @ts-expect-error: a graph must be named
  useStream({ url: '/agents' })
  // @ts-expect-error: also when a client is shared
  useStream({ client: createClient({ url: '/agents' }) })
  void useStream({ transport: plain({ url: '/ask' }) }).messages
  // @ts-expect-error: where the backend is must be said
  useStream({ graph: 'agent' })
}
