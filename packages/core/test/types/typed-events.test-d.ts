import { z } from 'zod'
import {
  Command,
  interrupt,
  MemoryCheckpointer,
  messages,
  START,
  state,
  StateGraph,
  tool,
  toolNode,
  value,
  type NodeContext,
} from '../../src/index.ts'

/** A graph may say what its nodes write, what people are asked, and what they answer. */

interface Progress {
  percent: number
}
interface Question {
  text: string
}
type Answer = 'yes' | 'no'

const schema = state({ topic: value<string>(), messages: messages() })
const typed = () =>
  new StateGraph(schema, { custom: value<Progress>(), interrupt: value<Question>(), resume: value<Answer>() })

typed().addNode('node', (_s, ctx) => {
  ctx.writer({ percent: 1 })
  ctx.writer({ percent: 1 }, 'named')
  // @ts-expect-error no such data
  ctx.writer({ percnt: 1 })
  // @ts-expect-error text is no progress
  ctx.writer('half')
  const answer = ctx.interrupt({ text: 'sure?' })
  answer satisfies Answer
  // @ts-expect-error not one of the answers
  answer satisfies 'maybe'
  // @ts-expect-error a question has a text
  ctx.interrupt('sure?')
  ctx.interrupt({ text: 'how many?' }, { schema: z.coerce.number() }) satisfies number
})

// ---- without saying anything, anything goes ----

new StateGraph(schema).addNode('node', (_s, ctx) => {
  ctx.writer({ any: 'thing' })
  ctx.writer('text')
  ctx.interrupt('sure?') satisfies unknown
  ctx.interrupt<number>('how many?') satisfies number
  interrupt<boolean>('really?') satisfies boolean
})

// ---- a node written for any graph fits a typed one ----

const general = (_s: unknown, ctx: NodeContext): void => ctx.writer({ percent: 1 })
typed().addNode('general', general)
const look = tool(({ what }: { what: string }, ctx) => ctx.progress({ message: what }), {
  name: 'look',
  description: 'looks',
  schema: z.object({ what: z.string() }),
})
typed().addNode('tools', toolNode([look]))

// ---- tools take what their schema makes ----

tool(({ n }) => n.toFixed(), { name: 'fix', description: 'fixes', schema: z.object({ n: z.coerce.number() }) })
// @ts-expect-error the schema makes no "m"
tool(({ m }) => String(m), { name: 'fix', description: 'fixes', schema: z.object({ n: z.number() }) })

// ---- graphs as nodes, and graphs called by nodes ----

const child = new StateGraph(state({ topic: value<string>() }))
  .addNode('inner', ({ topic }) => ({ topic }))
  .addEdge(START, 'inner')
  .compile()
const parent = typed()
  .addNode('child', child)
  .addNode('call', async (_s, ctx) => {
    const { topic } = await ctx.run(child, { topic: 'x' })
    const again = await child.invoke({ topic })
    return { topic: again.topic }
  })
  .addNode('wrong', async (_s, ctx) => {
    // @ts-expect-error unknown input key
    await ctx.run(child, { topik: 'x' })
  })
  .addEdge(START, 'child')
  .compile({ checkpointer: new MemoryCheckpointer() })
void parent.invoke(new Command({ resume: 'yes' }), { threadId: 't' })
void parent.invoke(null, { threadId: 't' })
void parent.invoke(new Command({ resume: { 'an interrupt': 'no', another: 'yes' } }), { threadId: 't' })
void parent.stream(new Command({ resume: 'no', update: { topic: 'x' }, goto: 'call' }), { threadId: 't' })
// @ts-expect-error not one of the answers
void parent.invoke(new Command({ resume: 'maybe' }), { threadId: 't' })
// @ts-expect-error not one of the answers, by id
void parent.stream(new Command({ resume: { 'an interrupt': 'maybe' } }), { threadId: 't' })
// @ts-expect-error there is no such node
void parent.invoke(new Command({ goto: 'nowhere' }), { threadId: 't' })
// @ts-expect-error a node answers nobody: only who runs the graph does
typed().addNode('answers', (_s, ctx) => ctx.command({ resume: 'yes' }))
void child.invoke(new Command({ resume: { any: 'thing' } }), { threadId: 't' })

// ---- questions are typed where they are read ----

async function questions(): Promise<void> {
  const { __interrupt__: asked = [] } = await parent.invoke({ topic: 'x' }, { threadId: 't' })
  asked[0]?.value satisfies Question | undefined
  // @ts-expect-error a question is no answer
  asked[0]?.value satisfies Answer | undefined
  for await (const update of parent.stream({ topic: 'x' }, { threadId: 't' })) {
    update.__interrupt__?.[0]?.value.text satisfies string | undefined
    // @ts-expect-error a question has no such field
    void update.__interrupt__?.[0]?.value.txt
  }
  for await (const [mode, chunk] of parent.stream({ topic: 'x' }, { streamMode: ['custom', 'updates'] })) {
    if (mode === 'custom') chunk satisfies Progress
    // @ts-expect-error updates are no progress
    else chunk satisfies Progress
  }
}
void questions

// ---- a graph that calls itself says what it returns ----

const self = new StateGraph(state({ n: value<number>() }))
  .addNode('again', async ({ n }): Promise<{ n: number }> =>
    n > 0 ? { n: (await self.invoke({ n: n - 1 })).n } : { n },
  )
  .addEdge(START, 'again')
  .compile()
void self
