import * as fc from 'fast-check'
import { PROTOCOL_VERSION, type RunEvent } from '../src/events/event.ts'

/** One random choice: what to do, on which of what there is, and with which text. */
type Choice = readonly [action: number, pick: number, text: string]

const choice: fc.Arbitrary<Choice> = fc.tuple(
  fc.nat(9),
  fc.nat(1000),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }),
)

/** Events that a thread could really have: runs one after the other, each with messages, tools and steps in any order. */
export const randomRuns: fc.Arbitrary<RunEvent[]> = fc
  .array(fc.array(choice, { maxLength: 60 }), { minLength: 1, maxLength: 3 })
  .map((runs) => runs.flatMap((choices, i) => writeRun(`r${i}`, choices)))

interface OpenMessage {
  id: string
  task: string
  ns: readonly string[]
  lengths: number[]
}

const NODES = ['agent', 'writer', 'critic'] as const

function writeRun(run: string, choices: readonly Choice[]): RunEvent[] {
  const events: RunEvent[] = [{ type: 'run.start', run, protocol: PROTOCOL_VERSION, graph: 'g' }]
  const open: OpenMessage[] = []
  const ended: OpenMessage[] = []
  let count = 0
  let step = 1
  for (const [action, pick, text] of choices) {
    const message = open[pick % Math.max(open.length, 1)]
    if (action === 0 || (message === undefined && action < 7)) {
      const begun = {
        id: `${run}m${count}`,
        task: `${run}t${count++}`,
        ns: pick % 4 === 3 ? ['sub:1'] : [],
        lengths: [],
      }
      open.push(begun)
      events.push(startOf(run, begun, step, pick))
    } else if (message !== undefined && action < 6) {
      events.push(deltaOf(run, message, pick, text))
    } else if (message !== undefined && action === 6) {
      events.push({ type: 'message.end', run, ...place(message), id: message.id, lengths: [...message.lengths] })
      ended.push(...open.splice(open.indexOf(message), 1))
    } else if (action === 7) {
      events.push({ type: 'custom', run, node: 'agent', name: text, data: { pick } })
    } else if (action === 8) {
      events.push(valuesOf(run, step++, ended))
    } else {
      const gone = [...open, ...ended][pick % Math.max(open.length + ended.length, 1)]
      if (gone === undefined) continue
      events.push({ type: 'rewind', run, ...place(gone), task: gone.task, node: nodeOf(gone), attempt: 1 })
      for (const list of [open, ended]) if (list.includes(gone)) list.splice(list.indexOf(gone), 1)
    }
  }
  events.push({ type: 'run.end', run, status: open.length > 0 ? 'cancelled' : 'done' })
  return events
}

function place({ ns }: OpenMessage): { ns?: readonly string[] } {
  return ns.length > 0 ? { ns } : {}
}

function nodeOf({ id }: OpenMessage): string {
  return NODES[id.length % NODES.length]!
}

function startOf(run: string, message: OpenMessage, step: number, pick: number): RunEvent {
  const { id, task } = message
  const tags = pick % 3 === 0 ? { meta: { tags: ['final'] } } : {}
  return {
    type: 'message.start',
    run,
    ...place(message),
    node: nodeOf(message),
    step,
    task,
    id,
    role: 'assistant',
    ...tags,
  }
}

function deltaOf(run: string, message: OpenMessage, pick: number, text: string): RunEvent {
  const part = pick % (message.lengths.length + 1)
  const known = message.lengths[part]
  const at = known ?? 0
  message.lengths[part] = at + text.length
  const kind = pick % 3 === 0 ? 'reasoning' : 'text'
  const first = known === undefined ? ({ kind } as const) : {}
  return { type: 'message.delta', run, ...place(message), id: message.id, part, at, text, ...first }
}

function valuesOf(run: string, step: number, ended: OpenMessage[]): RunEvent {
  const root = ended.filter(({ ns }) => ns.length === 0)
  for (const message of root) ended.splice(ended.indexOf(message), 1)
  const lists = { messages: { append: root.map(({ id }) => id) } }
  return { type: 'values', run, step, set: { step }, ...(root.length > 0 && { lists }) }
}
