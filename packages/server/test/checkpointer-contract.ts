import type { Checkpoint, Checkpointer, SavedCheckpoint, StateChange } from '@rivulet/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'

const NEXT = { nodes: [{ name: 'a', triggers: ['b'] }], sends: [], deferred: [], arrivals: {} }

function checkpoint(id: string, parent: string | undefined, values: Checkpoint['values']): Checkpoint {
  return { id, parent, step: 1, source: 'loop', createdAt: 5, values, next: NEXT, metadata: { who: 'x' } }
}

const fresh = { tasks: [], answers: {} }

async function listOf(listing: AsyncIterable<SavedCheckpoint>): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of listing) ids.push(id)
  return ids
}

/** What any checkpointer does. `make` answers an empty one. */
export function checkpointerContract(make: () => Promise<Checkpointer>): void {
  test('come back as they were put, newest and by id', async () => {
    const keeper = await make()
    expect(await keeper.get('t', '')).toBeUndefined()
    const first = checkpoint('c1', undefined, { text: 'ü𝕏\u0000', list: [1, { deep: null }] })
    await keeper.put('t', '', first, undefined)
    const second = checkpoint('c2', 'c1', { ...first.values, list: [1, { deep: null }, 2] })
    await keeper.put('t', '', second, { set: {}, append: { list: [2] }, unset: [] })
    expect(await keeper.get('t', '')).toEqual({ ...second, ...fresh })
    expect(await keeper.get('t', '', 'c1')).toEqual({ ...first, ...fresh })
    expect(await keeper.get('t', '', 'c9')).toBeUndefined()
  })

  test('are kept apart by thread and namespace', async () => {
    const keeper = await make()
    await keeper.put('t', '', checkpoint('c1', undefined, { at: 'root' }), undefined)
    await keeper.put('t', 'sub:1', checkpoint('c1', undefined, { at: 'sub' }), undefined)
    await keeper.put('u', '', checkpoint('c1', undefined, { at: 'other' }), undefined)
    expect((await keeper.get('t', ''))?.values).toEqual({ at: 'root' })
    expect((await keeper.get('t', 'sub:1'))?.values).toEqual({ at: 'sub' })
    await keeper.deleteThread('t')
    expect(await keeper.get('t', '')).toBeUndefined()
    expect(await keeper.get('t', 'sub:1')).toBeUndefined()
    expect((await keeper.get('u', ''))?.values).toEqual({ at: 'other' })
  })

  test('hold what is pending until it is replaced', async () => {
    const keeper = await make()
    await keeper.put('t', '', checkpoint('c1', undefined, {}), undefined)
    const pending = {
      tasks: [{ task: 'x', node: 'a', interrupts: [{ id: 'i', value: 'why?' }] }],
      answers: { j: [1] },
    }
    await keeper.putPending('t', '', 'c1', pending)
    await keeper.putPending('t', '', 'unknown', pending)
    expect(await keeper.get('t', '')).toMatchObject(pending)
    await keeper.putPending('t', '', 'c1', fresh)
    expect(await keeper.get('t', '', 'c1')).toMatchObject(fresh)
  })

  test('are listed from the newest, before one of them, so many', async () => {
    const keeper = await make()
    for (let i = 1; i <= 5; i++) {
      await keeper.put('t', '', checkpoint(`c${i}`, i === 1 ? undefined : `c${i - 1}`, { i }), undefined)
    }
    expect(await listOf(keeper.list('t', ''))).toEqual(['c5', 'c4', 'c3', 'c2', 'c1'])
    expect(await listOf(keeper.list('t', '', { before: 'c4', limit: 2 }))).toEqual(['c3', 'c2'])
    expect(await listOf(keeper.list('t', '', { before: 'c1' }))).toEqual([])
    expect(await listOf(keeper.list('u', ''))).toEqual([])
  })

  test('have the state they were put with, whatever line of changes they stand in', async () => {
    const change = fc.record({
      set: fc.dictionary(fc.constantFrom('a', 'b'), fc.jsonValue()),
      append: fc.array(fc.jsonValue(), { maxLength: 3 }),
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
          const before = JSON.parse(JSON.stringify(from?.values ?? { list: [] })) as { list: unknown[] }
          const values: Record<string, unknown> = { ...before, ...set, list: [...before.list, ...append] }
          for (const key of unset) delete values[key]
          const one = checkpoint(`c${String(i).padStart(3, '0')}`, from?.id, values)
          const difference: StateChange = { set, append: { list: append }, unset }
          await keeper.put('t', '', one, from === undefined ? undefined : difference)
          put.push(one)
        }
        for (const one of put) {
          expect((await keeper.get('t', '', one.id))?.values).toEqual(JSON.parse(JSON.stringify(one.values)))
        }
      }),
      { numRuns: 25 },
    )
  })
}
