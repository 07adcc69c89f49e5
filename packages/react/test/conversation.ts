import type { RunEvent } from '@rivulet/protocol'

const step = { node: 'agent', step: 1, task: 'task' }

/** A run begins with these messages of the user. */
export function runBegins(run: string, ...messages: { id: string; content: string }[]): RunEvent[] {
  const ids = messages.map(({ id }) => id)
  return [
    { type: 'run.start', run, graph: 'agent', protocol: 1 },
    ...messages.map(({ id, content }): RunEvent => ({
      type: 'message',
      run,
      step: 0,
      message: { id, role: 'user', content },
    })),
    { type: 'values', run, step: 0, lists: { messages: { append: ids } } },
  ]
}

/** The agent begins to answer. */
export function answerBegins(run: string, id: string): RunEvent[] {
  return [
    { ...step, type: 'task.start', run },
    { ...step, type: 'message.start', run, id, role: 'assistant' },
  ]
}

/** One token of an answer, at its place in the text. */
export function token(run: string, id: string, at: number, text: string): RunEvent {
  return { ...step, type: 'message.delta', run, id, part: 0, at, text }
}

/** The answer of this length is complete, and the run with it. */
export function runEnds(run: string, id: string, length: number): RunEvent[] {
  return [
    { ...step, type: 'message.end', run, id, lengths: [length] },
    { ...step, type: 'task.end', run, outcome: 'ok' },
    { type: 'values', run, step: 1, lists: { messages: { append: [id] } } },
    { type: 'run.end', run, status: 'done' },
  ]
}
