import { emptyState, foldAll, toolCallsOf, type RunEvent } from '@rivulet/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { messages, scriptedModel, START, state, StateGraph, tool, toolNode } from '../../src/index.ts'
import { settle } from '../gate.ts'
import { ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const turns = async (count: number) => {
  for (let turn = 0; turn < count; turn++) await Promise.resolve()
}

/** What a call does: how long it takes, in turns of the microtask queue, how much it writes, and how it ends. */
const behaviour = fc.record({
  kind: fc.constantFrom('plain', 'generator', 'unknown', 'no JSON', 'does not fit'),
  turns: fc.nat(6),
  writes: fc.nat(3),
  ends: fc.constantFrom('returns', 'throws', 'hangs', 'returns what is no JSON'),
  id: fc.constantFrom('a', 'b', '', undefined),
})

type Behaviour = typeof behaviour extends fc.Arbitrary<infer T> ? T : never

function toolsFor(calls: readonly Behaviour[]) {
  const finish = async ({ ends, turns: count }: Behaviour): Promise<unknown> => {
    await turns(count)
    if (ends === 'throws') throw new Error('thrown')
    if (ends === 'hangs') return new Promise(() => {})
    return ends === 'returns' ? 'fine' : 1n
  }
  const needs = {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: (value: unknown) =>
        typeof (value as { n?: unknown }).n === 'number'
          ? { value: value as { n: number } }
          : { issues: [{ message: 'no n' }] },
    },
  }
  const plain = tool(
    async ({ n }: { n: number }, ctx) => {
      for (let i = 0; i < calls[n]!.writes; i++) ctx.writer(i)
      return finish(calls[n]!)
    },
    { name: 'plain', description: 'plain', schema: needs },
  )
  const generator = tool(
    async function* ({ n }: { n: number }) {
      for (let i = 0; i < calls[n]!.writes; i++) yield i
      return await finish(calls[n]!)
    },
    { name: 'generator', description: 'generator', schema: needs },
  )
  return [plain, generator]
}

const asked = ({ kind, id }: Behaviour, n: number) => {
  const name = kind === 'generator' || kind === 'unknown' ? kind : 'plain'
  return {
    id: id ?? `call_${n}`,
    name,
    argsText: kind === 'no JSON' ? '{' : kind === 'does not fit' ? '{}' : JSON.stringify({ n }),
  }
}

/** Which calls have ended, which have not, and what is told at the wrong time. */
function readCalls(events: readonly RunEvent[]) {
  const open = new Set<string>()
  const over = new Set<string>()
  const wrong: RunEvent[] = []
  for (const event of events) {
    if (event.type === 'tool.start') {
      if (open.has(event.id) || over.has(event.id)) wrong.push(event)
      open.add(event.id)
    } else if (event.type === 'tool.end') {
      if (!open.delete(event.id)) wrong.push(event)
      over.add(event.id)
    } else if (event.type === 'custom' && !open.has(event.toolCallId ?? '')) wrong.push(event)
  }
  return { open, over, wrong }
}

test('whatever calls do and whenever their run is stopped: each has one start and one end, with its writes in between', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(behaviour, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 4 }),
      fc.nat(40),
      async (calls, maxConcurrency, stopAfter) => {
        const stop = new AbortController()
        const model = scriptedModel({ toolCalls: calls.map(asked) })
        const graph = new StateGraph(state({ messages: messages() }))
          .addNode('model', async () => ({ messages: [await model.invoke('go')] }))
          .addNode('tools', toolNode(toolsFor(calls), { maxConcurrency }))
          .addEdge(START, 'model')
          .addEdge('model', 'tools')
          .compile()
        const events = []
        const stream = graph.events({ messages: 'go' }, { signal: stop.signal })
        // Whatever hangs is stopped in the end.
        void settle().then(() => stop.abort())
        for await (const event of stream) {
          events.push(event)
          if (events.length === stopAfter) stop.abort()
        }
        await settle()
        const { over, open, wrong } = readCalls(events)
        expect(wrong).toEqual([])
        expect(open.size).toBe(0)
        const seen = foldAll(
          emptyState(),
          events.map((event, i) => ({ ...event, seq: i + 1 })),
        )
        expect(seen.ignored).toBe(0)
        if (ofType(events, 'run.end')[0]?.status !== 'done') return
        expect(over.size).toBe(calls.length)
        expect(new Set(toolCallsOf(seen).map(({ status }) => status))).not.toContain('pending')
        expect(toolCallsOf(seen)).toHaveLength(calls.length)
      },
    ),
    { numRuns: 300 },
  )
})
