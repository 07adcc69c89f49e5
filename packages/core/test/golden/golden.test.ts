import { describe, expect, test } from 'vitest'
import type { GraphState, StreamMode } from '@rivulet/protocol'
import { Command, type Graph } from '../../src/index.ts'
import { fixtures } from './fixtures.ts'
import * as graphs from './graphs.ts'
import { makeProjection } from './projection.ts'

/** What was recorded of LangGraph 1.7.3, replayed here. Deliberate differences are named where they are made. */

interface Step {
  input?: unknown
  options?: {
    streamMode?: StreamMode | StreamMode[]
    subgraphs?: boolean
    encoding?: string
    configurable?: { thread_id: string }
  } & Record<string, unknown>
  chunks?: unknown[]
  getState?: SavedState
  history?: SavedState[]
  error?: { message: string; lc_error_code?: string }
  result?: unknown
}

interface SavedState {
  values: unknown
  next: string[]
  metadata: { source: string; step: number }
}

interface Recording {
  cases: Record<string, { steps: Step[] }>
}

type Entry = [ns: string[], mode: string, chunk: unknown]

function recording(name: string): Recording {
  // As the recorder wrote it.
  return fixtures[name] as Recording
}

/** Every chunk with its namespace and mode, whatever the envelope; the envelope's own shape is checked on the way. */
function entries(
  chunks: readonly unknown[],
  { streamMode = 'updates', subgraphs = false }: NonNullable<Step['options']>,
): Entry[] {
  const several = Array.isArray(streamMode)
  return chunks.map((chunk): Entry => {
    const parts = subgraphs || several ? (chunk as unknown[]) : [chunk]
    expect(parts).toHaveLength(1 + Number(subgraphs) + Number(several))
    const ns = subgraphs ? (parts[0] as string[]) : []
    const mode = several ? String(parts.at(-2)) : (streamMode as string)
    return [ns, mode, parts.at(-1)]
  })
}

function project(list: readonly Entry[]): unknown[] {
  const projection = makeProjection()
  const segments = new Map<string, string>()
  const segment = (text: string) => {
    const [node, id] = text.split(':')
    if (id === undefined) return text
    if (!segments.has(id)) segments.set(id, `t${segments.size + 1}`)
    return `${node}:${segments.get(id)}`
  }
  return list.map(([ns, mode, chunk]) => [ns.map(segment).join('|'), mode, projection(mode, chunk)])
}

/** Waits show in `values` there; here only in `updates`, because a question is no state. */
const withoutInterruptValues = (list: Entry[]) =>
  list.filter(
    ([, mode, chunk]) =>
      !(mode === 'values' && typeof chunk === 'object' && chunk !== null && '__interrupt__' in chunk),
  )

async function collect(graph: Graph, step: Step): Promise<{ chunks: unknown[]; error: unknown }> {
  const { streamMode, subgraphs, configurable, ...rest } = step.options ?? {}
  const chunks: unknown[] = []
  try {
    const stream = graph.stream(inputOf(step.input), {
      ...rest,
      ...(streamMode !== undefined && { streamMode }),
      ...(subgraphs !== undefined && { subgraphs }),
      ...(configurable && { threadId: configurable.thread_id }),
    })
    for await (const chunk of stream) chunks.push(structuredClone(chunk))
  } catch (error) {
    return { chunks, error }
  }
  return { chunks, error: undefined }
}

function inputOf(input: unknown): Record<string, unknown> | Command<never, unknown, unknown> | null {
  const given = input as { Command?: { resume: unknown } } | null
  return given?.Command ? new Command({ resume: given.Command.resume }) : given
}

const stateThere = ({ values, next, metadata: { source, step } }: SavedState) => ({ values, next, source, step })
const stateHere = ({ values, next, source, step }: GraphState) => ({ values, next, source, step })
const savedState = async (graph: Graph) => stateHere((await graph.getState('t'))!)

/** Ids of questions are hashes in both runtimes; only that there is one is compared. */
function withNamedQuestions(answer: unknown): unknown {
  const { __interrupt__: asked, ...rest } = answer as { __interrupt__?: { value: unknown }[] }
  return asked === undefined ? rest : { ...rest, asked: asked.map(({ value }) => value) }
}

/**
 * A resumed run here begins with what was on screen (there: without what the finished siblings wrote), and a sibling that
 * does not run again has an end as well as a start, both before the tasks that run.
 */
function withoutGoingBack(theirs: Entry[]): Entry[] {
  const [first, cached, ...rest] = theirs
  const isSideStart = ([, mode, chunk]: Entry) => mode === 'tasks' && (chunk as { name: string }).name === 'side'
  const start = rest.find(isSideStart)!
  const { id, name } = start[2] as { id: string; name: string }
  const end: Entry = [[], 'tasks', { id, name, result: { log: ['side'] }, interrupts: [], error: null }]
  const begin: Entry = [first![0], first![1], { log: ['side'] }]
  return [begin, start, cached!, end, ...rest.filter((entry) => !isSideStart(entry))]
}

interface Expectation {
  make: () => Graph
  skip?: Record<string, string>
  adapt?: (theirs: Entry[], name: string, step: number) => Entry[]
  adaptOurs?: (ours: Entry[]) => Entry[]
}

const SSE = 'text for a wire is written by the server, not by the runtime'

const expectations: Record<string, Expectation> = {
  linear: {
    make: () => graphs.linear(true),
    skip: { sse: SSE, sse_subgraphs: SSE },
    // A stop at a node is named: which nodes come next, where the reference shows an empty list.
    adaptOurs: (ours) =>
      ours.map(([ns, mode, chunk]) => {
        const waits = (chunk as { __interrupt__?: { value: { breakpoint?: true } }[] }).__interrupt__
        return [ns, mode, waits?.[0]?.value.breakpoint ? { __interrupt__: [] } : chunk]
      }),
  },
  linear_nocp: { make: () => graphs.linear(false) },
  parallel: { make: graphs.parallel },
  conditional: { make: graphs.conditional },
  send: { make: graphs.send },
  command: { make: graphs.command },
  error_sequential: { make: graphs.failing, skip: { sse: SSE } },
  recursion: { make: graphs.looping },
  io_schema: { make: graphs.inAndOut },
  subgraph_two_levels: {
    make: graphs.twoLevels,
    skip: { sse_subgraphs: SSE },
    // Without `subgraphs` nothing from below shows, custom data no more than the rest.
    adapt: (theirs, name) => (name === 'multi' ? theirs.filter(([, mode]) => mode !== 'custom') : theirs),
  },
  subgraph_invoked_in_node: {
    make: () => graphs.calledInNode(true),
    adapt: (theirs, name) => (name === 'multi' ? theirs.filter(([, mode]) => mode !== 'custom') : theirs),
  },
  messages_streaming_model: {
    make: () => graphs.talking(graphs.tokens(['Hel', 'lo'], { usage: true, name: 'my_model', tags: ['t1'] })),
    skip: { sse: SSE },
  },
  messages_non_streaming_model: { make: () => graphs.talking(graphs.tokens(['Hel', 'lo'], { streaming: false })) },
  messages_disable_streaming: { make: () => graphs.talking(graphs.tokens(['Hel', 'lo'], { streaming: false })) },
  messages_subgraph: { make: graphs.talkingBelow },
  messages_no_llm: {
    make: graphs.messagesWithoutModel,
    // An edited message and a plain object are messages too: here they show.
    adaptOurs: (ours) => {
      const extra = ours.filter(
        ([, mode, chunk]) =>
          mode === 'messages' && /^(replaced|as dict)$/.test((chunk as { content: string }[])[0]!.content),
      )
      expect(extra).toHaveLength(2)
      return ours.filter((entry) => !extra.includes(entry))
    },
    // There an update shows the plain object before it had an id.
    adapt: (theirs) => {
      const named = theirs.map(([ns, mode, chunk]): Entry => [ns, mode, structuredClone(chunk)])
      for (const [, mode, chunk] of named) {
        const dict = mode === 'updates' ? (chunk as { dict?: { messages: { id?: string }[] } }).dict : undefined
        const inValues = theirs.flatMap(([, m, c]) =>
          m === 'values' ? (c as { messages: { content: string; id: string }[] }).messages : [],
        )
        if (dict) dict.messages[0]!.id = inValues.find(({ content }) => content === 'as dict')!.id
      }
      return named
    },
  },
  agent_tools: {
    make: graphs.agentWithTools,
    adapt: (theirs) => theirs.map(([ns, mode, chunk]): Entry => [ns, mode, withModelNode(chunk)]),
    adaptOurs: withoutSecondSight,
  },
  interrupt: {
    make: graphs.asking,
    adapt: (theirs, _name, step) => (step === 0 ? theirs : withoutGoingBack(theirs)),
  },
}

/** The recording is of the prebuilt agent, which calls its model's node `agent`. */
function withModelNode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withModelNode)
  if (typeof value !== 'object' || value === null) return value === 'agent' ? 'model' : value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key === 'agent' ? 'model' : key, withModelNode(inner)]),
  )
}

/** One stream of progress here: what a generator yields is custom data as well, what a writer writes a tool's event. */
function withoutSecondSight(ours: Entry[]): Entry[] {
  const isExtra = ([, mode, chunk]: Entry) => {
    const { event, name, tool } = chunk as { event?: string; name?: string; tool?: string }
    return (mode === 'custom' && tool === undefined) || (event === 'on_tool_event' && name === 'search')
  }
  const modes = new Set(ours.map(([, mode]) => mode))
  expect(ours.filter(isExtra)).toHaveLength(Number(modes.has('tools')) + 2 * Number(modes.has('custom')))
  return ours.filter((entry) => !isExtra(entry))
}

type Pair = readonly [ours: unknown, theirs: unknown]

/** Replays one step and answers what is to be equal. */
async function replay(
  graph: Graph,
  step: Step,
  adaptOurs: (ours: Entry[]) => Entry[],
  adapt: (theirs: Entry[]) => Entry[],
): Promise<Pair[]> {
  const pairs: Pair[] = []
  if (step.getState !== undefined) pairs.push([await savedState(graph), stateThere(step.getState)])
  if (step.history !== undefined) pairs.push(await histories(graph, step.history))
  if (step.result !== undefined) pairs.push(await answers(graph, step))
  if (step.chunks === undefined) return pairs
  const { chunks, error } = await collect(graph, step)
  const theirs = withoutInterruptValues(entries(step.chunks, step.options ?? {}))
  const ours = entries(chunks, step.options ?? {})
  return [...pairs, [project(adaptOurs(ours)), project(adapt(theirs))], [errorHere(error), errorThere(step)]]
}

async function histories(graph: Graph, theirs: readonly SavedState[]): Promise<Pair> {
  const ours = []
  for await (const one of graph.getStateHistory('t')) ours.push(stateHere(one))
  const place = ({ next, source, step }: { next: unknown; source: unknown; step: unknown }) => [next, source, step]
  return [ours.map(place), theirs.map(stateThere).map(place)]
}

async function answers(graph: Graph, { input, options, result }: Step): Promise<Pair> {
  const threadId = options?.configurable?.thread_id
  const answer = await graph.invoke(inputOf(input), threadId === undefined ? {} : { threadId })
  const projected = (given: unknown) => makeProjection()('values', withNamedQuestions(given))
  return [projected(answer), projected(result)]
}

const TOO_LONG = 'the recursion limit'
const errorThere = ({ error }: Step) => (error?.lc_error_code === 'GRAPH_RECURSION_LIMIT' ? TOO_LONG : error?.message)
const errorHere = (error: unknown) =>
  (error as { code?: string } | undefined)?.code === 'RECURSION_LIMIT'
    ? TOO_LONG
    : (error as Error | undefined)?.message

const asItIs = (list: Entry[]) => list

for (const [name, { make, skip = {}, adapt = asItIs, adaptOurs = asItIs }] of Object.entries(expectations)) {
  describe(`recorded: ${name}`, () => {
    const cases = Object.entries(recording(name).cases).filter(([caseName]) => skip[caseName] === undefined)
    test.each(cases)('streams %s as recorded', async (caseName, { steps }) => {
      const graph = make()
      for (const [i, step] of steps.entries()) {
        for (const [ours, theirs] of await replay(graph, step, adaptOurs, (list) => adapt(list, caseName, i))) {
          expect(ours).toEqual(theirs)
        }
      }
    })
  })
}
