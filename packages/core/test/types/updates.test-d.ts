import type { Message } from '@rivulet/protocol'
import { z } from 'zod'
import {
  Command,
  END,
  messages,
  overwrite,
  reduced,
  removeMessage,
  START,
  state,
  StateGraph,
  value,
  type InputOf,
  type UpdateOf,
  type ValueOf,
} from '../../src/index.ts'

/** What nodes return is checked against the state, whatever kind of function they are; what is right needs no annotation. */

const schema = state({ topic: value<string>(), n: value<number>(), messages: messages() })
const build = () => new StateGraph(schema)

// ---- what is right compiles without an annotation ----

build()
  .addNode('sync', ({ topic }) => ({ topic: topic.toUpperCase() }))
  .addNode('async', async () => ({ messages: [{ role: 'assistant', content: 'hi' }] }))
  .addNode('asyncOne', async () => ({ messages: { role: 'assistant', content: 'hi', id: 'm' } }))
  .addNode('text', async () => ({ messages: 'from a person' }))
  .addNode('generator', async function* ({ n }) {
    yield { n: n + 1 }
    yield { topic: 'x', messages: [{ role: 'tool', content: '1', toolCallId: 'c' }] }
  })
  .addNode('nothing', () => {})
  .addNode('asyncNothing', async () => {})
  .addNode('sometimes', ({ n }) => {
    if (n > 1) return { n: 0 }
    return undefined
  })
  .addNode('mixed', ({ n }) => {
    if (n > 2) return new Command({ goto: END })
    if (n > 1) return { topic: 'x' }
    return {}
  })
  .addNode('mixedAsync', async ({ n }) => (n > 1 ? { n: 1 } : { topic: 'x' }))
  .addNode('command', () => new Command({ update: { topic: 'x' } }))
  .addNode('ctxCommand', (_s, ctx) => ctx.command({ update: { n: 1 }, goto: END }))
  .addNode('overwriting', () => ({ n: overwrite(1), messages: overwrite([]) }))
  .addNode('removing', ({ messages: list }) => ({ messages: list.map(({ id }) => removeMessage(id)) }))
  .addNode('passing', (s) => ({ messages: s.messages }))
  .addNode('spreading', (s) => ({ ...s }))
  .addNode('langchain', () => ({ messages: [{ type: 'human', content: 'hi' }] }))
  .addNode('openai', () => ({ messages: [{ role: 'tool', content: '42', tool_call_id: 'c' }] }))
  .addEdge(START, 'sync')
  .compile()

// ---- a key the state does not have, named in the error ----

// @ts-expect-error unknown state key "topik"
build().addNode('sync', () => ({ topik: 'x' }))
// @ts-expect-error unknown state key "topik"
build().addNode('async', async () => ({ topik: 'x' }))
// @ts-expect-error unknown state key "topik", beside a right one
build().addNode('beside', () => ({ topic: 'x', topik: 'x' }))
// @ts-expect-error unknown state key "topik"
build().addNode('generator', async function* () {
  yield { topic: 'x' }
  yield { topik: 'x' }
})
// @ts-expect-error unknown state key "topik" in one of two returns
build().addNode('mixed', ({ n }) => {
  if (n > 1) return { topic: 'x' }
  return { topik: 'x' }
})
// @ts-expect-error unknown state key "topik" in a command
build().addNode('command', () => new Command({ update: { topik: 'x' } }))
// @ts-expect-error unknown state key "topik" in a command, asynchronously
build().addNode('asyncCommand', async () => new Command({ update: { topik: 'x' }, goto: END }))
const mixedCommand = build()
  .addNode('mixedCommand', ({ n }) => (n > 1 ? new Command({ update: { topik: 'x' } }) : { topic: 'x' }))
  .addEdge(START, 'mixedCommand')
// @ts-expect-error unknown state key "topik" in a command beside an update
mixedCommand.compile()
build().addNode('ctxCommand', (_s, ctx) =>
  // @ts-expect-error 'topik' does not exist
  ctx.command({ update: { topik: 'x' } }),
)
// @ts-expect-error unknown state key "topik" from an error handler
build().addNode('handled', () => ({}), { onError: () => ({ topik: 'x' }) })

// ---- a wrong value, at the property ----

// @ts-expect-error a number is no topic
build().addNode('sync', () => ({ topic: 1 }))
// @ts-expect-error a number is no topic
build().addNode('async', async () => ({ topic: 1 }))
// @ts-expect-error a number is no topic
build().addNode('generator', async function* () {
  yield { topic: 1 }
})
// @ts-expect-error a number is no topic
build().addNode('command', () => new Command({ update: { topic: 1 } }))
// @ts-expect-error a number is no message
build().addNode('message', () => ({ messages: [5] }))

// ---- what is no update at all ----

// @ts-expect-error text is no update
build().addNode('text', () => 'x')
// @ts-expect-error null is no update
build().addNode('null', () => null)
// @ts-expect-error a list is no update
build().addNode('list', () => [{ topic: 'x' }])
// @ts-expect-error a function is no update
build().addNode('function', () => () => ({}))

// ---- a state has three types ----

const forms = state({
  count: z.coerce.number(),
  size: z.string().default('m'),
  log: reduced<string[], string>({ initial: () => [], reduce: (all, one) => [...all, one] }),
  plain: value<boolean>(),
})
const read = {} as ValueOf<typeof forms>
read.count satisfies number
read.size satisfies string
read.log satisfies string[]
read.plain satisfies boolean
;({ count: 1, size: 's', log: 'one more', plain: true }) satisfies UpdateOf<typeof forms>
;({ count: '1' }) satisfies InputOf<typeof forms>
// @ts-expect-error nodes return the schema's output
;({ count: '1' }) satisfies UpdateOf<typeof forms>
// @ts-expect-error one more, not the whole list
;({ log: ['x'] }) satisfies UpdateOf<typeof forms>

const graph = new StateGraph(forms)
  .addNode('add', ({ count, size }) => ({ count: count + 1, log: size.toUpperCase() }))
  .addEdge(START, 'add')
  .compile()
void graph.invoke({ count: '41' })
void graph.invoke({})
// @ts-expect-error unknown input key
void graph.invoke({ cuont: '41' })
// @ts-expect-error a wrong value
void graph.invoke({ plain: 'yes' })

const answer = async () => {
  const { count, log, __interrupt__: asked } = await graph.invoke({ count: '41' })
  count satisfies number
  log satisfies string[]
  asked?.[0]?.id satisfies string | undefined
}
void answer

const whole = z.object({ topic: z.string(), lines: z.array(z.string()).default([]) })
const wholeGraph = new StateGraph(whole)
  .addNode('write', async ({ topic, lines }) => ({ lines: [...lines, topic] }))
  // @ts-expect-error unknown state key "line"
  .addNode('typo', () => ({ line: [] }))
wholeGraph satisfies object
const compiledWhole = new StateGraph(whole)
  .addNode('write', ({ topic, lines }) => ({ lines: [...lines, topic] }))
  .addEdge(START, 'write')
  .compile()
void compiledWhole.invoke({ topic: 'x' })
// @ts-expect-error the topic is missing
void compiledWhole.invoke({})

const chat = new StateGraph(state({ messages: messages() }))
  .addNode('talk', ({ messages: list }) => {
    list satisfies Message[]
    return { messages: [{ role: 'assistant', content: list.at(-1)?.content ?? '' }] }
  })
  .addEdge(START, 'talk')
  .compile()
void chat.invoke({ messages: [{ role: 'user', content: 'hi' }] })
void chat.invoke({ messages: 'hi' })
void chat.invoke({ messages: { type: 'human', content: 'hi' } })
