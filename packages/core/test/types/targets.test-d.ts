import { Command, END, Send, START, state, StateGraph, value } from '../../src/index.ts'

/** Names of nodes are checked wherever they stand: in edges, routers, maps, commands and sends. */

const schema = state({ topic: value<string>() })
const two = () =>
  new StateGraph(schema)
    .addNode('plan', () => ({}))
    .addNode('act', () => ({}))
    .addEdge(START, 'plan')

// ---- what is right ----

two()
  .addEdge('plan', 'act')
  .addEdge(['plan', 'act'], END)
  .addConditionalEdges('plan', () => 'act')
  .addConditionalEdges('plan', ({ topic }) => (topic === '' ? END : 'act'))
  .addConditionalEdges('plan', async () => ['act', END] as const)
  .addConditionalEdges('plan', () => [])
  .addConditionalEdges('plan', () => new Send('act', { any: 'input' }))
  .addConditionalEdges('plan', ({ topic }) => topic.split(',').map((part) => new Send('act', part)))
  .addConditionalEdges('plan', ({ topic }) => (topic === '' ? [new Send('act', 1), 'plan'] : END))
  .addConditionalEdges('plan', ({ topic }) => topic === '', { true: 'act', false: END })
  .addConditionalEdges('plan', ({ topic }) => (topic === '' ? 'yes' : 'no'), { yes: 'act', no: 'plan' })
  .addConditionalEdges('plan', () => 'act', ['act'])
  .compile()

// ---- edges ----

// @ts-expect-error no node "akt"
two().addEdge('plan', 'akt')
// @ts-expect-error no node "plam"
two().addEdge('plam', 'act')
// @ts-expect-error no node "akt" among several
two().addEdge(['plan', 'akt'], END)
// @ts-expect-error nothing follows the end
two().addEdge(END, 'act')
// @ts-expect-error nothing leads to the start
two().addEdge('act', START)

// ---- routers ----

// @ts-expect-error no node "akt"
two().addConditionalEdges('plan', () => 'akt')
// @ts-expect-error no node "akt" in one of two answers
two().addConditionalEdges('plan', ({ topic }) => (topic === '' ? 'act' : 'akt'))
// @ts-expect-error no node "akt", asynchronously
two().addConditionalEdges('plan', async () => 'akt')
// @ts-expect-error no node "akt" in a list
two().addConditionalEdges('plan', () => ['act', 'akt'])
// @ts-expect-error no node "plam"
two().addConditionalEdges('plam', () => 'act')
// @ts-expect-error no node "akt" to send to
two().addConditionalEdges('plan', () => new Send('akt', {}))
// @ts-expect-error nothing can be sent to the end
two().addConditionalEdges('plan', () => new Send(END, {}))
// @ts-expect-error no node "akt" in the map
two().addConditionalEdges('plan', () => 'yes', { yes: 'akt' })
// @ts-expect-error the map has no "no"
two().addConditionalEdges('plan', ({ topic }) => (topic === '' ? 'yes' : 'no'), { yes: 'act' })
// @ts-expect-error no node "akt" among the targets
two().addConditionalEdges('plan', () => 'act', ['akt'])

// ---- goto, with the names declared: where it is written ----

const declared = () => new StateGraph(schema, { nodes: ['plan', 'act'] })
declared().addNode('plan', (_s, ctx) => ctx.command({ goto: 'act' }))
declared().addNode('plan', (_s, ctx) => ctx.command({ goto: ['act', END, new Send('act', 1)] }))
declared().addNode('plan', () => new Command({ goto: 'act' }))
declared().addNode('plan', (_s, ctx) =>
  // @ts-expect-error no node "akt"
  ctx.command({ goto: 'akt' }),
)
declared().addNode('plan', (_s, ctx) =>
  // @ts-expect-error no node "akt" in a list
  ctx.command({ goto: ['act', 'akt'] }),
)
// @ts-expect-error no node "akt"
declared().addNode('plan', () => new Command({ goto: 'akt' }))
// @ts-expect-error no node "akt", asynchronously
declared().addNode('plan', async () => new Command({ goto: 'akt' }))
// @ts-expect-error no node "akt", from a generator
declared().addNode('plan', async function* () {
  yield new Command({ goto: 'akt' })
})
// @ts-expect-error no node "akt" to send to
declared().addNode('plan', () => new Command({ goto: new Send('akt', {}) }))
// @ts-expect-error not one of the declared names
declared().addNode('akt', () => ({}))

declared()
  .addNode('plan', () => ({}))
  // @ts-expect-error "act" has not been added yet: nodes come before the edges that name them
  .addEdge('plan', 'act')

// ---- goto, without: at compile(), naming the node ----

const forward = new StateGraph(schema)
  .addNode('plan', () => new Command({ goto: 'act' }))
  .addNode('act', () => ({}))
  .addEdge(START, 'plan')
forward.compile()

const lost = new StateGraph(schema).addNode('plan', () => new Command({ goto: 'akt' })).addEdge(START, 'plan')
// @ts-expect-error node "akt" is a goto target but was never added
lost.compile()

const lostInContext = new StateGraph(schema)
  .addNode('plan', (_s, ctx) => ctx.command({ goto: 'akt' }))
  .addEdge(START, 'plan')
// @ts-expect-error node "akt" is a goto target but was never added
lostInContext.compile()

const lostSend = new StateGraph(schema)
  .addNode('plan', () => new Command({ goto: [new Send('akt', 1)] }))
  .addEdge(START, 'plan')
// @ts-expect-error node "akt" is a goto target but was never added
lostSend.compile()

// A name made at run time is checked at run time.
new StateGraph(schema)
  .addNode('plan', ({ topic }) => new Command({ goto: topic }))
  .addEdge(START, 'plan')
  .compile()

// ---- sequences ----

const sequence = new StateGraph(schema).addSequence({ one: () => ({ topic: 'x' }), two: async () => ({}) })
sequence.addEdge('two', END).compile()
// @ts-expect-error no node "three"
sequence.addEdge('three', END)
// @ts-expect-error a number is no topic
new StateGraph(schema).addSequence({ one: () => ({ topic: 1 }) })

// ---- what a graph is named after compiling ----

const compiled = two().compile()
type Names = NonNullable<(typeof compiled)['~types']>['nodes']
const names: Names[] = ['plan', 'act']
void names
// @ts-expect-error no node "akt"
const wrong: Names = 'akt'
void wrong
