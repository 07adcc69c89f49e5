import {
  emptyState,
  fold,
  messagesOf,
  valuesOf,
  type Message,
  type RunEvent,
  type ThreadState,
} from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import type { CsvFile } from '../../contract/csv-file.ts'
import { indexSections } from '../tools/docs/search.ts'
import { createTools } from '../tools/tools.ts'
import { addFiles, buildAgent, type AgentGraph } from './graph.ts'
import { createModel } from './model.ts'

const atOnce = async (): Promise<void> => {}
const docs = indexSections([
  {
    file: 'docs/streaming.md',
    trail: ['Streaming', 'Resume'],
    paragraphs: ['A stream resumes from its cursor.'],
    code: undefined,
  },
])

const agent = async (breathe: (signal: AbortSignal) => Promise<void> = atOnce) =>
  buildAgent(await createModel({ kind: 'rules' }, atOnce), createTools({ docs: async () => docs, breathe }))

interface Asked {
  events: RunEvent[]
  state: ThreadState
  messages: readonly Message[]
}

async function ask(
  text: string,
  options: { file?: CsvFile; graph?: AgentGraph; signal?: AbortSignal } = {},
): Promise<Asked> {
  const { file, graph = await agent(), signal } = options
  const parts = file && [{ kind: 'file' as const, mediaType: 'text/csv', name: file.name }]
  const input = { messages: [{ role: 'user', content: text, ...(parts && { parts }) }], ...(file && { files: [file] }) }
  const events: RunEvent[] = []
  let state = emptyState()
  for await (const event of graph.events(input, { ...(signal && { signal }) })) {
    events.push(event)
    state = fold(state, { ...event, seq: events.length })
  }
  return { events, state, messages: messagesOf(state) }
}

const rows = `level,site\n${Array.from({ length: 500 }, (_, n) => `${n},North`).join('\n')}\n`
const file: CsvFile = { name: 'a.csv', text: rows }

test('a question goes to the model, to its tools and back to the model', async () => {
  const { messages, events } = await ask('what is 2^10 and how do I resume a stream?')
  expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool', 'assistant'])
  expect(messages.at(-1)?.content).toBe(
    '`2^10` = **1024**\n\nFrom **Resume** in `docs/streaming.md`:\n\n> A stream resumes from its cursor.',
  )
  expect(events.flatMap((event) => (event.type === 'task.start' ? [event.node] : []))).toEqual([
    'model',
    'tools',
    'model',
  ])
  expect(events.at(-1)).toMatchObject({ type: 'run.end', status: 'done' })
})

test('the answer arrives token by token', async () => {
  const { events } = await ask('hello')
  expect(events.filter(({ type }) => type === 'message.delta').length).toBeGreaterThan(10)
})

describe('a file', () => {
  test('is measured with progress under the id of its call', async () => {
    const { events, state } = await ask('', { file })
    const [call] = [...state.tools.values()]
    const progress = events.flatMap((event) =>
      event.type === 'custom' && event.toolCallId === call?.id ? [event.data] : [],
    )
    expect(progress.length).toBeGreaterThan(4)
    expect(progress.at(-1)).toEqual({ done: 500, total: 500, message: 'Done' })
    expect(call).toMatchObject({ name: 'analyze_csv', status: 'done', output: { file: 'a.csv', rows: 500 } })
  })

  test('is never sent back: no event and no value has its text', async () => {
    const { events, state } = await ask('', { file })
    expect(JSON.stringify(events)).not.toContain('499,North')
    expect(valuesOf(state)).not.toHaveProperty('files')
  })

  test('that is missing is a sentence', async () => {
    const { messages } = await ask('', { file: { name: 'b.csv', text: '' } })
    expect(messages.at(-1)?.content).toBe('b.csv is empty.')
  })
})

test('a stop in the middle of a tool ends the run and the tool', async () => {
  const stop = new AbortController()
  let breaths = 0
  const breathe = async (signal: AbortSignal): Promise<void> => {
    breaths += 1
    if (breaths === 2) stop.abort()
    signal.throwIfAborted()
  }
  const { events, state } = await ask('', { file, graph: await agent(breathe), signal: stop.signal })
  expect(events.at(-1)).toMatchObject({ type: 'run.end', status: 'cancelled' })
  expect(breaths).toBe(2)
  expect([...state.tools.values()].map(({ status }) => status)).not.toContain('running')
})

test('files are kept by name, the last three', () => {
  const named = (...names: string[]): CsvFile[] => names.map((name) => ({ name, text: name }))
  expect(addFiles(named('a', 'b'), [{ name: 'a', text: 'new' }])).toEqual([
    { name: 'b', text: 'b' },
    { name: 'a', text: 'new' },
  ])
  expect(addFiles(named('a', 'b', 'c'), named('d')).map(({ name }) => name)).toEqual(['b', 'c', 'd'])
})

test('the graph tells where the agent may go', async () => {
  const { edges } = (await agent()).describe()
  expect(edges.filter(({ from }) => from === 'model').map(({ to }) => to)).toEqual(['tools', '__end__'])
})
