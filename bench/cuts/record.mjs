import { mkdirSync, writeFileSync } from 'node:fs'
import { core } from '../src/production.mjs'

/**
 * `node record.mjs`: writes the 20 streams that are cut, as tapes. They are kept, as ids in them are made at random: to
 * record them again is to cut other bytes. Each is what one small graph says in one or two runs.
 */
const {
  Command,
  createAgent,
  END,
  MemoryCheckpointer,
  messages,
  reduced,
  removeMessage,
  scriptedModel,
  Send,
  START,
  state,
  StateGraph,
  tool,
  value,
} = await core()

const folder = new URL('../../packages/testing/test/cuts/recordings/', import.meta.url)
const list = () =>
  reduced({ initial: () => [], reduce: (/** @type {string[]} */ a, /** @type {string[]} */ b) => [...a, ...b] })
const chat = () => state({ messages: messages() })
const checkpointer = () => ({ checkpointer: new MemoryCheckpointer() })
const hello = { messages: 'hi' }
const EVERYTHING = /** @type {const} */ (['updates', 'tasks', 'checkpoints', 'debug'])

/**
 * @typedef {{ messages: import('../../packages/core/dist/index.js').MessagesInput }} Chat
 * @typedef {import('../../packages/core/dist/index.js').NodeContext} Context
 */

/**
 * A graph of one node.
 *
 * @param {(state: Chat, ctx: Context) => any} node
 * @param {import('../../packages/core/dist/index.js').NodeOptions} [options]
 */
const single = (node, options = {}) =>
  new StateGraph(chat()).addNode('answer', node, options).addEdge(START, 'answer').compile(checkpointer())

/** @param {import('../../packages/core/dist/index.js').ChatModel} model */
const speaking = (model) =>
  single(async (s, ctx) => ({ messages: [await model.invoke(s.messages, { signal: ctx.signal })] }))

const weather = tool(
  async ({ city }, ctx) => {
    ctx.progress({ done: 1, total: 2 })
    ctx.writer({ looking: city })
    return `sunny in ${String(city)}`
  },
  { name: 'weather', description: 'Weather of a city.' },
)
const broken = tool(() => Promise.reject(new Error('no line')), { name: 'broken', description: 'Fails.' })
/** @param {string} id @param {string} name @param {unknown} [args] */
const call = (id, name, args = {}) => ({ id, name, args })

const nested = new StateGraph(chat())
  .addNode('deep', async (s) => ({ messages: [await scriptedModel('from far below').invoke(s.messages)] }))
  .addEdge(START, 'deep')
  .compile()

let attempts = 0

/** Name, graph, inputs of its runs. @type {[string, { events: Function }, unknown[]][]} */
const streams = [
  ['one-answer', speaking(scriptedModel('Hello there, how are you?')), [hello]],
  ['two-turns', speaking(scriptedModel(['First answer.', 'Second answer.'])), [hello, { messages: 'more' }]],
  ['many-tokens', speaking(scriptedModel('one two three four five six seven eight nine ten '.repeat(3))), [hello]],
  ['characters', speaking(scriptedModel('Grüße aus 東京 🌸 e\u0301 👩‍👩‍👧 \u2028 "quoted" \\ done')), [hello]],
  ['reasoning', speaking(scriptedModel({ reasoning: 'They greet. Greet back.', text: 'Good day.' })), [hello]],
  ['no-stream', single(() => ({ messages: [{ role: 'assistant', content: 'All at once.' }] })), [hello]],
  [
    'tool',
    createAgent({
      model: scriptedModel([{ toolCalls: [call('c1', 'weather', { city: 'Rome' })] }, 'It is sunny.']),
      tools: [weather],
    }),
    [hello],
  ],
  [
    'tools-at-once',
    createAgent({
      model: scriptedModel([
        { text: 'Looking.', toolCalls: ['Rome', 'Oslo'].map((city, i) => call(`c${i}`, 'weather', { city })) },
        'Both sunny.',
      ]),
      tools: [weather],
    }),
    [hello],
  ],
  [
    'tool-fails',
    createAgent({ model: scriptedModel([{ toolCalls: [call('c1', 'broken')] }, 'Sorry.']), tools: [broken] }),
    [hello],
  ],
  [
    'question',
    single((_s, ctx) => ({
      messages: [{ role: 'assistant', content: `decided: ${String(ctx.interrupt({ question: 'Send it?' }))}` }],
    })),
    [hello, new Command({ resume: 'yes' })],
  ],
  [
    'approval',
    createAgent({
      model: scriptedModel([{ text: 'May I?', toolCalls: [call('c1', 'weather', { city: 'Bern' })] }, 'Done.']),
      tools: [weather],
      interruptOn: ['weather'],
      ...checkpointer(),
    }),
    [hello, new Command({ resume: { type: 'approve' } })],
  ],
  [
    'retry',
    single(
      async (s) => {
        const text = attempts++ === 0 ? 'a ghost that goes' : 'what stays'
        const answer = await scriptedModel(text).invoke(s.messages)
        if (attempts === 1) throw new Error('again')
        return { messages: [answer] }
      },
      { retry: { attempts: 2, delayMs: 1, jitter: false } },
    ),
    [hello],
  ],
  [
    'fails',
    single(async (s) => {
      await scriptedModel('half of an').invoke(s.messages)
      throw new Error('broke')
    }),
    [hello],
  ],
  [
    'edited',
    single(() => ({ messages: [removeMessage('u1'), { id: 'u2', role: 'user', content: 'edited' }] })),
    [
      {
        messages: [
          { id: 'u1', role: 'user', content: 'gone' },
          { id: 'u2', role: 'user', content: 'raw' },
        ],
      },
    ],
  ],
  ['subgraph', new StateGraph(chat()).addNode('below', nested).addEdge(START, 'below').compile(), [hello]],
  [
    'nested',
    new StateGraph(chat())
      .addNode('outer', new StateGraph(chat()).addNode('below', nested).addEdge(START, 'below').compile())
      .addEdge(START, 'outer')
      .compile(),
    [hello],
  ],
  [
    'sends',
    new StateGraph(state({ log: list() }))
      .addNode('work', (s, ctx) => {
        const { i } = /** @type {{ i: number }} */ (/** @type {unknown} */ (s))
        ctx.writer({ i })
        return { log: [`w${i}`] }
      })
      .addNode('done', () => ({ log: ['done'] }))
      .addConditionalEdges(START, () => [0, 1, 2].map((i) => new Send('work', { i })))
      .addEdge('work', 'done')
      .addEdge('done', END)
      .compile(),
    [{}],
  ],
  [
    'loop',
    new StateGraph(state({ n: value(), log: list() }))
      .addNode('count', (s, ctx) => {
        const n = /** @type {number} */ (s.n ?? 0) + 1
        ctx.progress({ done: n })
        return { n, log: [`${n}`] }
      })
      .addEdge(START, 'count')
      .addConditionalEdges('count', (s) => (/** @type {number} */ (s.n) < 4 ? 'count' : END), ['count', END])
      .compile(),
    [{}],
  ],
  [
    'two-voices',
    new StateGraph(chat())
      .addNode('left', async (s) => ({ messages: [await scriptedModel('left says this').invoke(s.messages)] }))
      .addNode('right', async (s) => ({ messages: [await scriptedModel('right says that').invoke(s.messages)] }))
      .addEdge(START, 'left')
      .addEdge(START, 'right')
      .compile(),
    [hello],
  ],
  ['everything-recorded', speaking(scriptedModel('Seen from all sides.')), [hello]],
]

mkdirSync(folder, { recursive: true })
for (const [name, graph, inputs] of streams) {
  /** @type {object[]} */
  const events = []
  for (const [i, input] of inputs.entries()) {
    const modes = name === 'everything-recorded' ? EVERYTHING : undefined
    const options = { threadId: 't', runId: `run${i + 1}`, ...(modes && { modes }) }
    try {
      for await (const event of graph.events(input, options))
        events.push(Object.assign({}, event, { seq: events.length + 1 }))
    } catch (error) {
      // What failed is in the events.
      if (name !== 'fails') throw error
    }
  }
  const text = events.map((event) => JSON.stringify(event)).join(',\n')
  writeFileSync(new URL(`${name}.json`, folder), `{"version":1,"events":[\n${text}\n]}\n`)
  process.stdout.write(`${name}: ${events.length} events, ${text.length} characters\n`)
}
