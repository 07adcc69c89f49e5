import type { TypedGraph } from '@rivulet/protocol'
import { script } from './script.ts'

type Graph = TypedGraph<{
  state: { messages: string[]; topic: string; tries: number }
  update: object
  input: { messages: string; topic?: string }
  nodes: 'plan' | 'act'
  custom: { done: number }
  interrupt: { question: string }
  resume: boolean
}>

const typed = script<Graph>()

typed
  .run({ messages: 'hi', topic: 'cats' })
  .run('hi')
  .run()
  .node('plan')
  .values({ topic: 'cats' })
  .custom({ done: 1 })
  .interrupt({ question: 'sure?' })
  .resume(true)
  .resume()

// @ts-expect-error the graph has no such node
typed.node('plam')
// @ts-expect-error a value of another type
typed.values({ topic: 1 })
// @ts-expect-error a key that the state does not have
typed.values({ topik: 'cats' })
// @ts-expect-error custom data of another shape
typed.custom({ done: 'yes' })
// @ts-expect-error a question of another shape
typed.interrupt('sure?')
// @ts-expect-error an answer of another type
typed.resume('yes')
// @ts-expect-error an input of another shape
typed.run({ topic: 'cats' })

const untyped = script()
untyped.run({ anything: 1 }).node('any').values({ anything: 1 }).custom(1).interrupt('sure?').resume('yes').end()
// @ts-expect-error no such error code
untyped.error({ code: 'NOPE', message: 'no' })
// @ts-expect-error events are those of the model
untyped.event({ type: 'nope' })
