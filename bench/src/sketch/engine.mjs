import { AsyncLocalStorage } from 'node:async_hooks'
import { Queue } from './queue.mjs'

/**
 * The sketch: what an honest engine cannot do without. Supersteps with a barrier, reducers, an AbortController and an
 * async context for each task, an event queue, checkpoints of what changed. No errors, retries, interrupts, subgraphs,
 * namespaces, ids or limits: the distance from here to the runtime is what those cost.
 *
 * @typedef {(mode: string, chunk: unknown) => void} Put
 * @typedef {{ step: number, node: string, signal: AbortSignal, put: Put }} Context
 */

/**
 * @template {object} S
 * @typedef {{ node: string, input?: S }} Task
 */

/**
 * @template {object} S
 * @typedef {object} Engine
 * @property {Record<string, (state: S, ctx: Context) => Partial<S> | Promise<Partial<S>>>} nodes
 * @property {{ [K in keyof S]?: (old: S[K], update: S[K]) => S[K] }} reducers a key without one is replaced
 * @property {(state: S, after: string | undefined) => Task<S>[]} route what follows a node, or the input
 * @property {Partial<S>[]} [checkpoints] where each step leaves what changed
 */

/** @type {AsyncLocalStorage<Context>} */
export const context = new AsyncLocalStorage()

/**
 * @template {object} S
 * @param {Engine<S>} engine
 * @param {S} input
 * @param {readonly string[]} modes
 * @returns {Queue<unknown>} chunks, or `[mode, chunk]` when there are several modes
 */
export function sketch(engine, input, modes) {
  const queue = new Queue()
  const wants = new Set(modes)
  const named = modes.length > 1
  /** @type {Put} */
  const put = (mode, chunk) => {
    if (wants.has(mode)) queue.push(named ? [mode, chunk] : chunk)
  }
  walk(engine, input, put, wants.has('debug')).then(
    () => queue.end(),
    (error) => queue.end(error),
  )
  return queue
}

/**
 * @template {object} S
 * @param {Engine<S>} engine
 * @param {S} state
 * @param {Put} put
 * @param {boolean} debug
 */
async function walk(engine, state, put, debug) {
  let tasks = engine.route(state, undefined)
  for (let step = 1; tasks.length > 0; step++) {
    const before = state
    const updates = await Promise.all(tasks.map((task) => run(engine, before, task, step, put, debug)))
    for (const update of updates) state = reduced(engine, state, update)
    engine.checkpoints?.push(Object.assign({}, ...updates))
    put('values', state)
    if (debug) put('debug', { type: 'checkpoint', step, values: state })
    const after = state
    tasks = [...new Set(tasks.map(({ node }) => node))].flatMap((node) => engine.route(after, node))
  }
}

/**
 * @template {object} S
 * @param {Engine<S>} engine
 * @param {S} state
 * @param {Task<S>} task
 * @param {number} step
 * @param {Put} put
 * @param {boolean} debug
 * @returns {Promise<Partial<S>>}
 */
async function run({ nodes }, state, { node, input = state }, step, put, debug) {
  const ctx = { step, node, signal: new AbortController().signal, put }
  if (debug) put('debug', { type: 'task', step, node, input })
  const update = (await context.run(ctx, () => nodes[node]?.(input, ctx))) ?? {}
  put('updates', { [node]: update })
  if (debug) put('debug', { type: 'task_result', step, node, result: update })
  return update
}

/**
 * @template {object} S
 * @param {Engine<S>} engine
 * @param {S} state
 * @param {Partial<S>} update
 * @returns {S}
 */
function reduced({ reducers }, state, update) {
  const next = { ...state, ...update }
  for (const key in reducers) {
    const value = update[key]
    if (value !== undefined) next[key] = reducers[key]?.(state[key], value) ?? next[key]
  }
  return next
}
