import { emptyState, encodeFrame, foldAll, serializeState, wireState } from '../../../packages/protocol/dist/index.js'
import { oldMessages, pace, tokens } from './conversation.mjs'

/** @typedef {import('../../../packages/protocol/dist/index.js').RunEvent} RunEvent */

const LOG = 'bench'
const old = oldMessages.map(({ id, role, text }) => ({ id, role, content: text }))
const ids = old.map(({ id }) => id)
const past = stamped(0, [
  { type: 'run.start', run: 'r0', graph: 'agent', protocol: 1 },
  ...old.map((message) => ({ type: 'message', run: 'r0', step: 0, message })),
  { type: 'values', run: 'r0', step: 0, lists: { messages: { append: ids } } },
  { type: 'run.end', run: 'r0', status: 'done' },
])
const state = serializeState(foldAll({ ...emptyState(), log: LOG }, past))
const head = past.length

/**
 * Our own wire: a snapshot and a run.
 *
 * @param {import('./server.mjs').Exchange} exchange
 */
export async function rivulet({ path, body, stream }) {
  const wire = wireState()
  const { send, end } = stream()
  /** @param {readonly object[]} events */
  const frame = (events) => send(encodeFrame(/** @type {any} */ ({ type: 'events', log: LOG, events }), wire))
  if (path.endsWith('/events')) {
    frame([{ type: 'sync', phase: 'snapshot', log: LOG, seq: head, state }])
    frame([{ type: 'sync', phase: 'live', log: LOG, seq: head }])
    return
  }
  const { run, input } = body
  const question = input.messages[0]
  const work = { run, node: 'agent', step: 1, task: 'task' }
  let seq = head
  /** @param {object[]} events */
  const say = (...events) => {
    for (const event of stamped(seq, events)) frame([event])
    seq += events.length
  }
  frame([{ type: 'sync', phase: 'replay', log: LOG, seq: head }])
  say(
    { type: 'run.start', run, graph: 'agent', protocol: 1 },
    { type: 'message', run, step: 0, message: question },
    { type: 'values', run, step: 0, lists: { messages: { append: [question.id] } } },
    { ...work, type: 'task.start' },
    { ...work, type: 'message.start', id: 'answer', role: 'assistant' },
  )
  let at = 0
  await pace((text) => {
    say({ ...work, type: 'message.delta', id: 'answer', part: 0, at, text })
    at += text.length
  })
  say(
    { ...work, type: 'message.end', id: 'answer', lengths: [tokens.join('').length] },
    { ...work, type: 'task.end', outcome: 'ok' },
    { type: 'values', run, step: 1, lists: { messages: { append: ['answer'] } } },
    { type: 'run.end', run, status: 'done' },
  )
  end()
}

/**
 * @param {number} after
 * @param {readonly object[]} events
 * @returns {any[]} events with their places in the log
 */
function stamped(after, events) {
  return events.map((event, i) => ({ ...event, seq: after + i + 1 }))
}
