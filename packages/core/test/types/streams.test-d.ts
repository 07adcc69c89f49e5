import type { Message, RunEvent, StreamMode } from '@rivulet/protocol'
import {
  isRoot,
  messages,
  START,
  state,
  StateGraph,
  value,
  type DebugChunk,
  type MessageMetadata,
  type StreamedMessage,
  type TaskChunk,
} from '../../src/index.ts'

/** Chunks have the type of their mode, in each of the four shapes that the options give them. */

interface Progress {
  percent: number
}

const graph = new StateGraph(state({ topic: value<string>(), messages: messages() }), { custom: value<Progress>() })
  .addNode('write', (_s, ctx) => {
    ctx.writer({ percent: 50 })
    return { topic: 'x' }
  })
  .addNode('read', () => ({}))
  .addEdge(START, 'write')
  .compile()
const input = { topic: 'x' }

/** Whether two types are the same, both ways; `unknown` and what a mistake gives are the same as nothing else. */
type Same<A, B> = [keyof [A]['0'], A, (a: A) => void] extends [keyof [B]['0'], B, (b: B) => void] ? true : false
const same = <A, B>(_yes: Same<A, B>): void => {}

interface State {
  readonly topic: string
  readonly messages: Message[]
}

export async function bareChunks(): Promise<void> {
  for await (const chunk of graph.stream(input)) {
    chunk.write?.topic satisfies string | undefined
    chunk.__interrupt__?.[0]?.id satisfies string | undefined
    // @ts-expect-error no node "akt"
    void chunk.akt
  }
  for await (const chunk of graph.stream(input, { streamMode: 'values' })) same<typeof chunk, State>(true)
  for await (const chunk of graph.stream(input, { streamMode: 'custom' })) same<typeof chunk, Progress>(true)
  for await (const [message, metadata] of graph.stream(input, { streamMode: 'messages' })) {
    same<typeof message, StreamedMessage>(true)
    same<typeof metadata, MessageMetadata>(true)
  }
  for await (const chunk of graph.stream(input, { streamMode: 'tasks' })) same<typeof chunk, TaskChunk>(true)
  for await (const chunk of graph.stream(input, { streamMode: 'debug' })) same<typeof chunk, DebugChunk>(true)
}

export async function chunksWithMode(): Promise<void> {
  for await (const [mode, chunk] of graph.stream(input, { streamMode: ['updates', 'custom', 'values', 'messages'] })) {
    if (mode === 'custom') same<typeof chunk, Progress>(true)
    else if (mode === 'values') same<typeof chunk, State>(true)
    else if (mode === 'messages') chunk[0].content satisfies string
    else chunk.write?.topic satisfies string | undefined
    // @ts-expect-error debug was not asked for
    if (mode === 'debug') return
  }
  // One mode in a list is named too.
  for await (const [mode, chunk] of graph.stream(input, { streamMode: ['values'] })) {
    same<typeof mode, 'values'>(true)
    same<typeof chunk, State>(true)
  }
  // Modes that are not known until run time.
  const modes: StreamMode[] = ['values']
  for await (const [mode, chunk] of graph.stream(input, { streamMode: modes })) {
    if (mode === 'custom') same<typeof chunk, Progress>(true)
  }
}

export async function chunksWithNamespace(): Promise<void> {
  for await (const entry of graph.stream(input, { streamMode: 'values', subgraphs: true })) {
    entry[0] satisfies readonly string[]
    if (isRoot(entry)) same<(typeof entry)[1], State>(true)
    else same<(typeof entry)[1], unknown>(true)
  }
  // Below the root it is another graph's state; what the runtime makes has the same type everywhere.
  for await (const [, chunk] of graph.stream(input, { streamMode: 'messages', subgraphs: true })) {
    chunk[0].content satisfies string
  }
}

export async function chunksWithNamespaceAndMode(): Promise<void> {
  for await (const entry of graph.stream(input, { streamMode: ['values', 'custom'], subgraphs: true })) {
    const [ns, mode, chunk] = entry
    ns satisfies readonly string[]
    if (mode === 'custom' && ns.length === 0) void chunk
    if (!isRoot(entry)) continue
    if (entry[1] === 'custom') same<(typeof entry)[2], Progress>(true)
    else same<(typeof entry)[2], State>(true)
  }
}

export async function otherwise(): Promise<void> {
  for await (const event of graph.events(input)) same<typeof event, RunEvent>(true)
  // @ts-expect-error no such mode
  graph.stream(input, { streamMode: 'vals' })
  // @ts-expect-error no such mode in a list
  graph.stream(input, { streamMode: ['values', 'vals'] })
  // @ts-expect-error no such option
  graph.stream(input, { subgraph: true })
  // @ts-expect-error unknown input key
  graph.stream({ topik: 'x' })
}
