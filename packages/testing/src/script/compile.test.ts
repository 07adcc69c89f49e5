import {
  emptyState,
  foldAll,
  messagesOf,
  toolCallsOf,
  valuesOf,
  type RivuletEvent,
  type RunEvent,
} from '@rivulet/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileRun } from './compile.ts'
import { script, type Script } from './script.ts'

/** The state after a script's runs, one after another; those that resume answer what was asked before. */
function played(written: Script) {
  let events: RunEvent[] = []
  for (const [i, run] of written.runs.entries()) {
    const asked = events.flatMap((event) => (event.type === 'interrupt' ? [event.id] : []))
    const context = { run: `r${i}`, input: run.input, ...(run.resumes && { resume: asked }) }
    events = [...events, ...compileRun(run, context)]
  }
  const stamped = events.map((event, i): RivuletEvent => ({ ...event, seq: i + 1 }))
  return { events, state: foldAll(emptyState(), stamped) }
}

const contents = (written: Script) =>
  messagesOf(played(written).state).map(({ role, content }) => `${role}: ${content}`)

describe('what a script leaves out is filled in', () => {
  test('tokens in a row are one message, which enters the state when its step ends', () => {
    const written = script().run('hi').token('Hel').token('lo').end()
    expect(contents(written)).toEqual(['user: hi', 'assistant: Hello'])
    expect(valuesOf(played(written).state)['messages']).toHaveLength(2)
    expect(played(written).events.map(({ type }) => type)).toEqual([
      'run.start',
      'message',
      'values',
      'task.start',
      'message.start',
      'message.delta',
      'message.delta',
      'message.end',
      'task.end',
      'values',
      'run.end',
    ])
  })

  test('reasoning is a part of its own', () => {
    const [, answer] = messagesOf(played(script().run('hi').reasoning('Hm').token('Yes').end()).state)
    expect(answer).toMatchObject({
      content: 'Yes',
      parts: [
        { kind: 'reasoning', text: 'Hm' },
        { kind: 'text', text: 'Yes' },
      ],
    })
  })

  test('calls in a row are of one message, and whoever called goes on after the last result', () => {
    const written = script()
      .run('hi')
      .token('Let me see.')
      .tool('a', { args: { x: 1 }, slices: 4, output: 1 })
      .tool('b', { id: 'second' })
      .progress({ done: 1 })
      .result('two')
      .token('Both.')
      .end()
    const { state, events } = played(written)
    expect(toolCallsOf(state)).toMatchObject([
      { id: 'r0-call1', name: 'a', args: '{"x":1}', status: 'done', output: 1 },
      { id: 'second', name: 'b', args: '{}', status: 'done', output: 'two' },
    ])
    expect(contents(written)).toEqual([
      'user: hi',
      'assistant: Let me see.',
      'tool: 1',
      'tool: two',
      'assistant: Both.',
    ])
    expect(events.find(({ type }) => type === 'custom')).toMatchObject({ toolCallId: 'second', node: 'tools' })
    expect(events.filter(({ type }) => type === 'task.start').map(({ node }) => node)).toEqual([
      'agent',
      'tools',
      'agent',
    ])
  })

  test('a failed attempt leaves nothing behind', () => {
    expect(contents(script().run('hi').token('ghost').rewind().token('real').end())).toEqual([
      'user: hi',
      'assistant: real',
    ])
  })

  test('a run that fails leaves its message cut', () => {
    const failed = script()
      .run('hi')
      .token('Hel')
      .end({ status: 'error', error: { code: 'NODE_FAILED', message: 'no' } })
    const { state } = played(failed)
    expect(messagesOf(state)[1]).toMatchObject({ content: 'Hel', status: 'cut' })
    expect(state.runs.get('r0')).toMatchObject({ status: 'error', error: { message: 'no' } })
  })

  test('input is whatever a run takes', () => {
    const said = { role: 'user', content: 'hi', id: 'u' } as const
    const { state } = played(
      script()
        .run({ messages: [said], topic: 'cats' })
        .end(),
    )
    expect(valuesOf(state)).toEqual({ topic: 'cats', messages: [expect.objectContaining(said)] })
  })
})

test('a script that makes no sense says so', () => {
  expect(() => played(script().run('x').end().token('late'))).toThrow('after the end')
  expect(() => played(script().run('x').end().tool('late'))).toThrow('after the end')
  expect(() => played(script().run('x').result(1))).toThrow('no tool is not running')
})

test('scripts share beginnings without sharing more', () => {
  const begun = script().run('hi').token('a')
  expect(contents(begun.token('b').end())).toEqual(['user: hi', 'assistant: ab'])
  expect(contents(begun.token('c').end())).toEqual(['user: hi', 'assistant: ac'])
})

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 })
const steps: fc.Arbitrary<(written: Script) => Script> = fc.oneof(
  word.map((text) => (s: Script) => s.token(text)),
  word.map((text) => (s: Script) => s.reasoning(text)),
  fc.tuple(fc.jsonValue(), fc.nat(5)).map(
    ([args, slices]) =>
      (s: Script) =>
        s.tool('t', { args, slices, output: 'out' }),
  ),
  fc.jsonValue().map((data) => (s: Script) => s.custom(data)),
  fc.jsonValue().map((data) => (s: Script) => s.progress(data)),
  fc.jsonValue().map((topic) => (s: Script) => s.values({ topic })),
  fc.constantFrom('agent', 'critic').map((node) => (s: Script) => s.node(node)),
  fc.constant((s: Script) => s.node('below', { ns: ['below:1'] })),
  fc.constant((s: Script) => s.rewind()),
  fc.constant((s: Script) => s.error({ code: 'PROVIDER_FAILED', message: 'slow' })),
  fc.constant((s: Script) => s.interrupt('sure?').resume(true)),
  fc.constant((s: Script) => s.end().run('more')),
)

test('whatever a script says, its events lack nothing and none is ignored', () => {
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 30 }), (list) => {
      const { state, events } = played(list.reduce((s, step) => step(s), script().run('hi')).end())
      expect(state.gap).toBeUndefined()
      expect(state.ignored).toBe(0)
      expect([...state.runs.values()].filter(({ status }) => status === 'running')).toEqual([])
      const open = events.reduce((n, { type }) => n + Number(type === 'task.start') - Number(type === 'task.end'), 0)
      expect(open).toBe(0)
    }),
  )
})
