import {
  emptyState,
  foldAll,
  memoryLog,
  recordRun,
  RivuletError,
  valuesOf,
  type AppendOptions,
  type Commit,
  type EventLog,
  type RunEvent,
} from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import {
  Command,
  isCheckpointWrite,
  keepingLog,
  MemoryCheckpointer,
  messages,
  reduced,
  START,
  state,
  StateGraph,
  type Checkpointer,
} from '../../src/index.ts'
import { settle } from '../gate.ts'
import { ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), messages: messages() })

function line(checkpointer: Checkpointer, ran: string[] = []) {
  return new StateGraph(schema())
    .addNode('a', () => {
      ran.push('a')
      return { log: ['a'] }
    })
    .addNode('b', () => {
      ran.push('b')
      return { log: ['b'], messages: 'from b' }
    })
    .addEdge(START, 'a')
    .addEdge('a', 'b')
    .compile({ checkpointer })
}

/** What a commit keeps, in a word: the step of a checkpoint, or that a step is pending. */
const kept = ({ writes }: Commit): string =>
  writes
    .filter(isCheckpointWrite)
    .map((write) => (write.kind === 'put' ? `checkpoint ${write.checkpoint.step}` : 'pending'))
    .join()

describe('a journal', () => {
  test('has what the run keeps in its place among the events, and nothing is written elsewhere', async () => {
    const checkpointer = new MemoryCheckpointer()
    const told: string[] = []
    for await (const item of line(checkpointer).journal(checkpointer, { log: ['in'] }, { threadId: 't' })!) {
      if (item.type === 'commit') {
        told.push(kept(item))
        item.settle()
      } else if (['values', 'task.start', 'run.end'].includes(item.type)) told.push(item.type)
    }
    const step = ['task.start', 'values']
    const whole = [
      'checkpoint -1',
      'values',
      'checkpoint 0',
      ...step,
      'checkpoint 1',
      ...step,
      'checkpoint 2',
      'run.end',
    ]
    expect(told).toEqual(whole)
    expect(await checkpointer.get('t', '')).toBeUndefined()
  })

  test('is not kept for a graph whose threads live elsewhere', () => {
    expect(line(new MemoryCheckpointer()).journal(new MemoryCheckpointer(), {}, { threadId: 't' })).toBeUndefined()
  })

  test.each([
    ['sync', ['a']],
    ['async', ['a', 'b']],
    ['exit', ['a', 'b']],
  ] as const)('of a run, %s, is waited for before the next step or before the end', async (durability, before) => {
    const checkpointer = new MemoryCheckpointer()
    const ran: string[] = []
    const open: Commit[] = []
    const types: string[] = []
    const journal = line(checkpointer, ran).journal(checkpointer, {}, { threadId: 't', durability })!
    const reading = (async () => {
      for await (const item of journal) {
        types.push(item.type)
        if (item.type !== 'commit') continue
        // With `sync` the first step may begin once its own checkpoint is durable.
        if (durability === 'sync' && open.length < 2 && ran.length === 0) item.settle()
        open.push(item)
      }
    })()
    await settle()
    expect(ran).toEqual(before)
    expect(types).not.toContain('run.end')
    // Those that were settled already take no notice.
    while (!types.includes('run.end')) {
      for (const commit of open) commit.settle()
      await settle()
    }
    await reading
    expect(ran).toEqual(['a', 'b'])
  })

  test('that cannot be kept ends the run with the reason', async () => {
    const checkpointer = new MemoryCheckpointer()
    const events: RunEvent[] = []
    for await (const item of line(checkpointer).journal(checkpointer, {}, { threadId: 't' })!) {
      if (item.type === 'commit') item.settle(new RivuletError('RUN_CONFLICT', 'somebody else writes'))
      else events.push(item)
    }
    expect(events.at(-1)).toMatchObject({ type: 'run.end', status: 'error', error: { code: 'RUN_CONFLICT' } })
  })

  test('whose reader leaves holds nobody up', async () => {
    const checkpointer = new MemoryCheckpointer()
    for await (const item of line(checkpointer).journal(checkpointer, {}, { threadId: 't' })!) {
      if (item.type === 'commit') break
    }
    expect(await checkpointer.get('t', '')).toBeUndefined()
  })
})

/** A log that tells what it was given before it passes it on. */
function watched(
  inner: EventLog,
  onAppend: (events: readonly RunEvent[], options: AppendOptions) => unknown,
): EventLog {
  return {
    ...inner,
    append: async (events, options = {}) => {
      await onAppend(events, options)
      return inner.append(events, options)
    },
  }
}

const valuesIn = async (events: EventLog) => valuesOf(await events.snapshot())
const keptIn = async (checkpointer: Checkpointer) => (await checkpointer.get('t', ''))?.values

describe('a log that keeps checkpoints too', () => {
  test('has each event before the checkpoint that holds what it tells', async () => {
    const checkpointer = new MemoryCheckpointer()
    const events = memoryLog()
    const seen: boolean[] = []
    const before: Checkpointer = {
      get: (...args) => checkpointer.get(...args),
      list: (...args) => checkpointer.list(...args),
      deleteThread: (id) => checkpointer.deleteThread(id),
      putPending: (...args) => checkpointer.putPending(...args),
      put: async (threadId, ns, checkpoint, change) => {
        const { events: told } = await events.read(0, Infinity)
        const folded = valuesOf(foldAll(emptyState(), told)) as { log?: string[] }
        const { log: entries } = checkpoint.values as { log: string[] }
        // The first holds the input that has not been taken in yet.
        if (checkpoint.step >= 0) seen.push(entries.every((entry) => folded.log?.includes(entry)))
        return checkpointer.put(threadId, ns, checkpoint, change)
      },
    }
    const end = await recordRun(keepingLog(events, before), line(before), { log: ['in'] }, { threadId: 't' })
    expect(end.status).toBe('done')
    expect(seen).toEqual([true, true, true])
    expect(await valuesIn(events)).toMatchObject({ log: (await keptIn(checkpointer))!['log'] as string[] })
  })

  test('that refuses the events keeps no checkpoint of them either', async () => {
    const checkpointer = new MemoryCheckpointer()
    const events = memoryLog()
    await events.append([], { fence: 2 })
    const end = await recordRun(keepingLog(events, checkpointer), line(checkpointer), {}, { threadId: 't', fence: 1 })
    expect(end).toMatchObject({ status: 'error', error: { code: 'RUN_CONFLICT' } })
    expect(await keptIn(checkpointer)).toBeUndefined()
    expect(events.head()).toBe(0)
  })

  test('that can keep nothing fails the run, and its readers learn why', async () => {
    const checkpointer = new MemoryCheckpointer()
    const events = memoryLog()
    const unable = watched(keepingLog(events, checkpointer), (_events, { writes = [] }) => {
      if (writes.length > 0) throw new RivuletError('UNSERIALIZABLE', 'a Date is no JSON')
    })
    const end = await recordRun(unable, line(checkpointer), {}, { threadId: 't' })
    expect(end).toMatchObject({ status: 'error', error: { code: 'UNSERIALIZABLE' } })
    const { events: told } = await events.read(0, Infinity)
    expect(ofType([...told], 'run.end')).toMatchObject([{ status: 'error', error: { code: 'UNSERIALIZABLE' } }])
  })

  test('gets events and checkpoints of one turn together', async () => {
    const checkpointer = new MemoryCheckpointer()
    const groups: [number, number][] = []
    const counted = watched(keepingLog(memoryLog(), checkpointer), (events, { writes = [] }) =>
      groups.push([events.length, writes.length]),
    )
    await recordRun(counted, line(checkpointer), {}, { threadId: 't' })
    const withWrites = groups.filter(([, writes]) => writes > 0)
    expect(withWrites.length).toBeGreaterThan(0)
    expect(withWrites.every(([events]) => events > 0)).toBe(true)
    expect(withWrites.reduce((sum, [, writes]) => sum + writes, 0)).toBe(4)
  })

  test('takes no writes that no graph made', async () => {
    const keeping = keepingLog(memoryLog(), new MemoryCheckpointer())
    await expect(keeping.append([], { writes: [{ kind: 'other' }] })).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  test('lets a question be answered in a later run', async () => {
    const checkpointer = new MemoryCheckpointer()
    const graph = new StateGraph(schema())
      .addNode('ask', (_s, ctx) => ({ log: [`said ${String(ctx.interrupt('what?'))}`] }))
      .addNode('side', () => ({ log: ['side'] }))
      .addEdge(START, 'ask')
      .addEdge(START, 'side')
      .compile({ checkpointer })
    const events = keepingLog(memoryLog(), checkpointer)
    expect(await recordRun(events, graph, {}, { threadId: 't' })).toMatchObject({ status: 'interrupted' })
    const answer = new Command({ resume: 'this' })
    expect(await recordRun(events, graph, answer, { threadId: 't' })).toMatchObject({ status: 'done' })
    expect(await valuesIn(events)).toMatchObject({ log: ['said this', 'side'] })
    expect(await keptIn(checkpointer)).toMatchObject({ log: ['said this', 'side'] })
  })
})
