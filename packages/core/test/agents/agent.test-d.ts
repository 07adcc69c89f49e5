import type { Message, TypesOf } from '@rivulet/protocol'
import { z } from 'zod'
import {
  createAgent,
  reduced,
  scriptedModel,
  state,
  tool,
  value,
  type ApprovalAnswer,
  type ApprovalRequest,
} from '../../src/index.ts'

/** Fails to compile unless both are the same type. */
function same<A, B>(..._same: [A] extends [B] ? ([B] extends [A] ? [] : [never]) : [never]): void {}

const model = scriptedModel('ok')
const add = tool(({ a, b }: { a: number; b: number }) => a + b, { name: 'add', description: 'adds' })

const plain = createAgent({ model, tools: [add] })
same<TypesOf<typeof plain>['state'], { messages: Message[] }>()
same<TypesOf<typeof plain>['nodes'], 'model' | 'tools'>()
same<TypesOf<typeof plain>['interrupt'], unknown>()

const full = createAgent({
  model: ({ topic }) => (topic === 'x' ? model : model),
  prompt: ({ topic, notes }) => `${topic} ${notes.join()}`,
  state: state({
    topic: value<string>(),
    notes: reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] }),
  }),
  responseFormat: z.object({ degrees: z.number() }),
  interruptOn: { add: true },
})
same<
  TypesOf<typeof full>['state'],
  { topic: string; notes: string[]; messages: Message[]; structuredResponse?: { degrees: number } }
>()
same<TypesOf<typeof full>['interrupt'], ApprovalRequest>()
same<TypesOf<typeof full>['resume'], ApprovalAnswer>()

const guarded = createAgent({
  model,
  tools: [add],
  interruptOn: {
    add: { allow: ['approve', 'reject'], when: (args) => args !== undefined, message: (args) => String(args) },
  },
})
same<TypesOf<typeof guarded>['interrupt'], ApprovalRequest>()

export async function ask(): Promise<void> {
  const { __interrupt__: asked = [] } = await guarded.invoke({ messages: 'Hi' })
  same<(typeof asked)[number]['value'], ApprovalRequest>()
  for await (const chunk of guarded.stream({ messages: 'Hi' })) {
    const [question] = chunk.__interrupt__ ?? []
    same<typeof question, { id: string; value: ApprovalRequest } | undefined>()
  }
  // @ts-expect-error -- a decision is one of three
  createAgent({ model, interruptOn: { add: { allow: ['aprove'] } } })
}

export async function read(): Promise<void> {
  const end = await full.invoke({ messages: 'Hi', topic: 'x' })
  same<typeof end.structuredResponse, { degrees: number } | undefined>()
  // @ts-expect-error -- an agent's input has the keys of its state
  await full.invoke({ messages: 'Hi', topik: 'x' })
  // @ts-expect-error -- and their types
  await full.invoke({ messages: 'Hi', topic: 1 })
  // @ts-expect-error -- a prompt reads the agent's state
  createAgent({ model, prompt: ({ topic }) => String(topic) })
}
