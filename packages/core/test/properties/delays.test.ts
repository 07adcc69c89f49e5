import type { RunEvent } from '@rivulet/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  fromAsyncIterable,
  messages,
  reduced,
  Send,
  START,
  state,
  StateGraph,
  type NodeContext,
} from '../../src/index.ts'
import { freezeClock } from '../frozen-clock.ts'
import { all } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()
freezeClock()

/** What one task does, step by step; between the steps it waits for the scheduler. */
type Act = 'write' | 'progress' | 'token' | 'push' | 'below'

interface Task {
  acts: Act[]
  how: 'node' | 'send'
}

type Wait = (label: string) => Promise<void>

const acts = fc.array(fc.constantFrom<Act>('write', 'progress', 'token', 'push', 'below'), { maxLength: 4 })
const tasks = fc.array(fc.record<Task>({ acts, how: fc.constantFrom('node', 'send') }), { minLength: 2, maxLength: 6 })

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), messages: messages() })

/** A graph whose tasks all run in one step, then one that sees what they wrote. */
function graphOf(given: readonly Task[], wait: Wait) {
  const work = async (name: string, todo: readonly Act[], ctx: NodeContext) => {
    const said = []
    for (const [i, act] of todo.entries()) {
      await wait(`${name}.${i}`)
      if (act === 'write') ctx.writer(`${name}.${i}`)
      if (act === 'progress') ctx.progress(i)
      if (act === 'push') ctx.pushMessage({ id: `${name}.${i}`, role: 'assistant', content: 'pushed' })
      if (act === 'token') said.push(await speaking(name, wait).invoke('hi', { ctx }))
      if (act === 'below') await ctx.run(below(name, wait), {})
    }
    return { log: [name], messages: said }
  }
  const builder = new StateGraph(schema())
    .addNode('sent', async (sent, ctx) => {
      // What was sent, which is not the state.
      const { name, todo } = sent as unknown as { name: string; todo: Act[] }
      return work(name, todo, ctx)
    })
    .addNode('last', (s) => ({ log: [`saw ${s.log.length}`] }), { defer: true })
    .addEdge(START, 'last')
  const sends = given.flatMap(({ how, acts: todo }, i) =>
    how === 'send' ? [new Send('sent', { name: `s${i}`, todo })] : [],
  )
  for (const [i, { how, acts: todo }] of given.entries()) {
    if (how !== 'node') continue
    const name = `n${given.length - i}`
    builder.addNode(name, (_s, ctx) => work(name, todo, ctx)).addEdge(START, name)
  }
  return builder.addConditionalEdges(START, () => sends).compile()
}

const speaking = (name: string, wait: Wait) =>
  fromAsyncIterable(async function* () {
    for (const word of ['Hel', 'lo']) {
      await wait(`${name} says`)
      yield word
    }
  })

const below = (name: string, wait: Wait) =>
  new StateGraph(schema())
    .addNode('inner', async (_s, ctx) => {
      await wait(`${name} below`)
      ctx.writer(name)
      return { log: [name] }
    })
    .addEdge(START, 'inner')
    .compile()

/** Events by the task they are of; those of messages by their message. */
function byTask(events: readonly RunEvent[]): Map<string, RunEvent[]> {
  const taskOf = new Map<string, string>()
  const result = new Map<string, RunEvent[]>()
  for (const event of events) {
    if (event.type === 'message.start') taskOf.set(event.id, event.task ?? '')
    const id = event.type === 'message.delta' || event.type === 'message.end' ? taskOf.get(event.id) : event.task
    if (id !== undefined) result.set(id, [...(result.get(id) ?? []), event])
  }
  return result
}

const options = { runId: 'r' }

test('whatever order tasks come on in: the same state, applied in the same order, and each task tells the same', async () => {
  await fc.assert(
    fc.asyncProperty(tasks, fc.scheduler(), async (given, scheduler) => {
      const straight = graphOf(given, () => Promise.resolve())
      const expected = await straight.invoke({}, options)
      const told = byTask(await all(straight.events({}, options)))

      const shuffled = graphOf(given, (label) => scheduler.schedule(Promise.resolve(), label).then(() => undefined))
      const answer = shuffled.invoke({}, options)
      await scheduler.waitFor(answer)
      expect(await answer).toEqual(expected)
      const events = all(shuffled.events({}, options))
      await scheduler.waitFor(events)
      expect(byTask(await events)).toEqual(told)
    }),
    { numRuns: 150 },
  )
})
