import type { Checkpoint, Checkpointer, PendingStep, SavedCheckpoint, StateChange } from '@rivulet/core'
import * as fc from 'fast-check'
import type { Harness } from './harness.ts'

/** Makes an empty checkpointer. */
export type MakeCheckpointer = () => Checkpointer | Promise<Checkpointer>

const NEXT = { nodes: [{ name: 'a', triggers: ['b'] }], sends: [], deferred: [], arrivals: {} }
const NOTHING: PendingStep = { tasks: [], answers: {} }

function checkpoint(id: string, parent: string | undefined, values: Checkpoint['values']): Checkpoint {
  return { id, parent, step: 1, source: 'loop', createdAt: 5, values, next: NEXT, metadata: { who: 'x' } }
}

async function idsOf(listing: AsyncIterable<SavedCheckpoint>): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of listing) ids.push(id)
  return ids
}

/** What every checkpointer must do, as tests. */
export function checkpointerConformance(make: MakeCheckpointer, { test, expect }: Harness): void {
  test('gives back what was put, newest and by id', async () => {
    const keeper = await make()
    expect(await keeper.get('t', '')).toBe(undefined)
    const first = checkpoint('c1', undefined, { text: 'ü𝕏\u0000', list: [1, { deep: null }] })
    await keeper.put('t', '', first, undefined)
    const second = checkpoint('c2', 'c1', { ...first.values, list: [1, { deep: null }, 2] })
    await keeper.put('t', '', second, { set: {}, append: { list: [2] }, unset: [] })
    expect(await keeper.get('t', '')).toEqual({ ...second, ...NOTHING })
    expect(await keeper.get('t', '', 'c1')).toEqual({ ...first, ...NOTHING })
    expect(await keeper.get('t', '', 'c9')).toBe(undefined)
  })

  test('keeps threads and namespaces apart', async () => {
    const keeper = await make()
    await keeper.put('t', '', checkpoint('c1', undefined, { at: 'root' }), undefined)
    await keeper.put('t', 'sub:1', checkpoint('c1', undefined, { at: 'sub' }), undefined)
    await keeper.put('u', '', checkpoint('c1', undefined, { at: 'other' }), undefined)
    expect((await keeper.get('t', ''))?.values).toEqual({ at: 'root' })
    expect((await keeper.get('t', 'sub:1'))?.values).toEqual({ at: 'sub' })
    await keeper.deleteThread('t')
    expect(await keeper.get('t', '')).toBe(undefined)
    expect(await keeper.get('t', 'sub:1')).toBe(undefined)
    expect((await keeper.get('u', ''))?.values).toEqual({ at: 'other' })
  })

  test('holds what is pending until it is replaced', async () => {
    const keeper = await make()
    await keeper.put('t', '', checkpoint('c1', undefined, {}), undefined)
    const pending = { tasks: [{ task: 'x', node: 'a', interrupts: [{ id: 'i', value: 'why?' }] }], answers: { j: [1] } }
    await keeper.putPending('t', '', 'c1', pending)
    await keeper.putPending('t', '', 'unknown', pending)
    expect(await keeper.get('t', '')).toMatchObject(pending)
    await keeper.putPending('t', '', 'c1', NOTHING)
    expect(await keeper.get('t', '', 'c1')).toMatchObject(NOTHING)
  })

  test('lists from the newest, before one of them, so many', async () => {
    const keeper = await make()
    for (let i = 1; i <= 5; i++) {
      await keeper.put('t', '', checkpoint(`c${i}`, i === 1 ? undefined : `c${i - 1}`, { i }), undefined)
    }
    expect(await idsOf(keeper.list('t', ''))).toEqual(['c5', 'c4', 'c3', 'c2', 'c1'])
    expect(await idsOf(keeper.list('t', '', { before: 'c4', limit: 2 }))).toEqual(['c3', 'c2'])
    expect(await idsOf(keeper.list('t', '', { before: 'c1' }))).toEqual([])
    expect(await idsOf(keeper.list('u', ''))).toEqual([])
  })

  test('takes from many threads at once', async () => {
    const keeper = await make()
    const threads = Array.from({ length: 8 }, (_, i) => `t${i}`)
    await Promise.all(
      threads.map(async (thread) => {
        for (let i = 0; i < 25; i++) {
          const id = `c${String(i).padStart(3, '0')}`
          const parent = i === 0 ? undefined : `c${String(i - 1).padStart(3, '0')}`
          const change = { set: { i }, append: {}, unset: [] }
          await keeper.put(thread, '', checkpoint(id, parent, { thread, i }), i === 0 ? undefined : change)
        }
      }),
    )
    for (const thread of threads) {
      expect((await keeper.get(thread, ''))?.values).toEqual({ thread, i: 24 })
      expect((await idsOf(keeper.list(thread, ''))).length).toBe(25)
    }
  })

  test('gives each checkpoint the state it was put with, whatever line of changes it stands in', async () => {
    // As JSON writes it: it knows no -0.
    const json = fc.jsonValue().map((value): unknown => JSON.parse(JSON.stringify(value)))
    const change = fc.record({
      set: fc.dictionary(fc.constantFrom('a', 'b'), json),
      append: fc.array(json, { maxLength: 3 }),
      unset: fc.subarray(['a']),
      parent: fc.nat(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 40 }), async (changes) => {
        const keeper = await make()
        const put: Checkpoint[] = []
        for (const [i, { set, append, unset, parent }] of changes.entries()) {
          // Mostly the line goes on; now and then it forks.
          const from = parent % 5 === 0 ? put[parent % Math.max(put.length, 1)] : put.at(-1)
          const { list, ...before } = jsonOf(from?.values ?? { list: [] }) as { list: unknown[] }
          const values: Record<string, unknown> = { ...before, ...set, list: [...list, ...append] }
          for (const key of unset) delete values[key]
          const one = checkpoint(`c${String(i).padStart(3, '0')}`, from?.id, values)
          const difference: StateChange = { set, append: { list: append }, unset }
          await keeper.put('t', '', one, from === undefined ? undefined : difference)
          put.push(one)
        }
        for (const one of put) expect((await keeper.get('t', '', one.id))?.values).toEqual(jsonOf(one.values))
      }),
      { numRuns: 25 },
    )
  })
}

function jsonOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}
