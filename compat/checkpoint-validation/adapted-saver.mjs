import { BaseCheckpointSaver, maxChannelVersion, WRITES_IDX_MAP } from '@langchain/langgraph-checkpoint'

/** @typedef {import('../../packages/core/dist/index.js').Checkpointer} Checkpointer */
/** @typedef {import('../../packages/core/dist/index.js').SavedCheckpoint} SavedCheckpoint */
/** @typedef {import('../../packages/core/dist/index.js').TaskRecord} TaskRecord */
/** @typedef {import('@langchain/langgraph-checkpoint').CheckpointTuple} CheckpointTuple */
/** @typedef {import('@langchain/core/runnables').RunnableConfig} Config */

/** Channel in which LangGraph keeps the tasks that were sent. */
const TASKS = '__pregel_tasks'
const NOTHING_NEXT = { nodes: [], sends: [], deferred: [], arrivals: {} }

/**
 * One of this project's checkpointers, spoken to as LangGraph speaks to its own: for its suite of tests alone. What it
 * keeps stands in the checkpointer, but for the names of threads and namespaces, which LangGraph can list and we do not.
 */
export class AdaptedSaver extends BaseCheckpointSaver {
  #checkpointer
  /** @type {Map<string, Set<string>>} Namespaces by thread. */
  #known = new Map()

  /** @param {Checkpointer} checkpointer */
  constructor(checkpointer) {
    super()
    this.#checkpointer = checkpointer
  }

  /** @param {Config} config */
  async getTuple(config) {
    const { thread_id: thread, checkpoint_ns: ns = '', checkpoint_id: id } = config.configurable ?? {}
    if (thread === undefined) return undefined
    const saved = await this.#checkpointer.get(thread, ns, id)
    return saved && this.#tupleOf(thread, ns, saved)
  }

  /**
   * @param {Config} config
   * @param {import('@langchain/langgraph-checkpoint').CheckpointListOptions} [options]
   */
  async *list(config, { limit = Infinity, before, filter = {} } = {}) {
    const { thread_id: thread, checkpoint_ns: ns } = config.configurable ?? {}
    let left = limit
    for (const one of thread === undefined ? this.#known.keys() : [thread]) {
      for (const space of ns === undefined ? (this.#known.get(one) ?? []) : [ns]) {
        const end = before?.configurable?.['checkpoint_id']
        for await (const saved of this.#checkpointer.list(one, space, end === undefined ? {} : { before: end })) {
          const tuple = await this.#tupleOf(one, space, saved)
          const fits = Object.entries(filter).every(([key, value]) => Reflect.get(tuple.metadata ?? {}, key) === value)
          if (!fits) continue
          if (left-- <= 0) return
          yield tuple
        }
      }
    }
  }

  /**
   * @param {Config} config
   * @param {import('@langchain/langgraph-checkpoint').Checkpoint} checkpoint
   * @param {import('@langchain/langgraph-checkpoint').CheckpointMetadata} metadata
   * @param {Record<string, string | number>} newVersions
   */
  async put(config, checkpoint, metadata, newVersions) {
    const { thread_id: thread, checkpoint_ns: ns = '', checkpoint_id: parent } = needed(config, 'thread_id')
    const { id, ts, channel_values: given, ...rest } = checkpoint
    const before = parent === undefined ? undefined : await this.#checkpointer.get(thread, ns, parent)
    /** @type {Record<string, unknown>} */
    const set = {}
    for (const channel of Object.keys(newVersions)) {
      if (channel in given) set[channel] = await this.#plain(given[channel])
    }
    // A channel that is in the checkpoint and not new stands as its parent left it.
    const unset = Object.keys(before?.values ?? {}).filter((channel) => !(channel in checkpoint.channel_versions))
    /** @type {Record<string, unknown>} */
    const values = { ...before?.values, ...set }
    for (const channel of unset) delete values[channel]
    const kept = {
      id,
      parent,
      step: metadata.step,
      source: metadata.source,
      createdAt: Date.parse(ts),
      values,
      next: NOTHING_NEXT,
      metadata: { metadata: await this.#plain(metadata), rest },
    }
    await this.#checkpointer.put(thread, ns, kept, before && { set, append: {}, unset })
    if (!this.#known.has(thread)) this.#known.set(thread, new Set())
    this.#known.get(thread)?.add(ns)
    return { configurable: { thread_id: thread, checkpoint_ns: ns, checkpoint_id: id } }
  }

  /**
   * @param {Config} config
   * @param {[string, unknown][]} writes
   * @param {string} task
   */
  async putWrites(config, writes, task) {
    const { thread_id: thread, checkpoint_ns: ns = '' } = needed(config, 'thread_id')
    const { checkpoint_id: id } = needed(config, 'checkpoint_id')
    const saved = await this.#checkpointer.get(thread, ns, id)
    const { tasks = [], answers = {} } = saved ?? {}
    const updates = [...(tasks.find((one) => one.task === task)?.updates ?? [])]
    const written = updates.filter((update) => !isTold(update)).length
    for (const [i, [channel, value]] of writes.entries()) {
      const update = { [channel]: await this.#plain(value) }
      const at = updates.findIndex((before) => channel in before)
      // An error, an interrupt or an answer is told again as it changes; all else a task writes once.
      if (isTold(update) && at !== -1) updates[at] = update
      else if (isTold(update) || i >= written) updates.push(update)
    }
    const others = tasks.filter((one) => one.task !== task)
    const all = [...others, { task, node: task, updates }].sort((a, b) => (a.task < b.task ? -1 : 1))
    await this.#checkpointer.putPending(thread, ns, id, { tasks: all, answers })
  }

  /** @param {string} thread */
  async deleteThread(thread) {
    this.#known.delete(thread)
    await this.#checkpointer.deleteThread(thread)
  }

  /**
   * @param {string} thread
   * @param {string} ns
   * @param {SavedCheckpoint} saved
   * @returns {Promise<CheckpointTuple>}
   */
  async #tupleOf(thread, ns, { id, parent, createdAt, values, metadata, tasks }) {
    const { metadata: theirs, rest } = /** @type {any} What `put` wrote. */ (structuredClone(metadata))
    /** @type {any} */
    const checkpoint = {
      ...rest,
      id,
      ts: new Date(createdAt).toISOString(),
      channel_values: await this.#revived(values),
    }
    if (checkpoint.v < 4 && parent !== undefined) await this.#takeSends(checkpoint, thread, ns, parent)
    const configOf = (/** @type {string} */ one) => ({
      configurable: { thread_id: thread, checkpoint_ns: ns, checkpoint_id: one },
    })
    return {
      config: configOf(id),
      checkpoint,
      metadata: await this.#revived(theirs),
      pendingWrites: await this.#writesOf(tasks),
      ...(parent === undefined ? {} : { parentConfig: configOf(parent) }),
    }
  }

  /**
   * Before version 4 what was sent stood in the next checkpoint's state, and later among the writes of the one before.
   *
   * @param {import('@langchain/langgraph-checkpoint').Checkpoint} checkpoint
   * @param {string} thread
   * @param {string} ns
   * @param {string} parent
   */
  async #takeSends(checkpoint, thread, ns, parent) {
    const saved = await this.#checkpointer.get(thread, ns, parent)
    const writes = await this.#writesOf(saved?.tasks ?? [])
    checkpoint.channel_values[TASKS] = writes.filter(([, channel]) => channel === TASKS).map(([, , value]) => value)
    const versions = Object.values(checkpoint.channel_versions)
    checkpoint.channel_versions[TASKS] =
      versions.length === 0 ? this.getNextVersion(undefined) : maxChannelVersion(...versions)
  }

  /**
   * @param {readonly TaskRecord[]} tasks
   * @returns {Promise<[string, string, unknown][]>}
   */
  async #writesOf(tasks) {
    /** @type {[string, string, unknown][]} */
    const writes = []
    for (const { task, updates = [] } of tasks) {
      for (const update of updates) {
        for (const [channel, value] of Object.entries(update)) writes.push([task, channel, await this.#revived(value)])
      }
    }
    return writes
  }

  /**
   * A value as JSON that LangGraph's serialiser revives.
   *
   * @param {unknown} value
   * @returns {Promise<unknown>}
   */
  async #plain(value) {
    // In a list, because bytes by themselves are not written as JSON.
    const [, bytes] = await this.serde.dumpsTyped([value])
    return JSON.parse(new TextDecoder().decode(bytes))[0]
  }

  /** @param {unknown} plain */
  #revived(plain) {
    return this.serde.loadsTyped('json', JSON.stringify(plain))
  }
}

/**
 * @param {Config} config
 * @param {string} field
 */
function needed({ configurable = {} }, field) {
  if (configurable[field] === undefined) throw new Error(`${field} is missing`)
  return configurable
}

/** @param {Readonly<Record<string, unknown>>} update */
function isTold(update) {
  return Object.keys(update).some((channel) => channel in WRITES_IDX_MAP)
}
