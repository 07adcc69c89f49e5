import { describe, expect, test } from 'vitest'
import { newThread, storeContract } from '../../test/store-contract.ts'
import { memoryStore } from './memory-store.ts'

describe('a store in memory', () => {
  storeContract(async () => memoryStore())
})

describe('threads', () => {
  test('beyond the bound push out the one used longest ago that is not busy', async () => {
    const store = memoryStore({ maxThreads: 3 })
    await store.createThread('', newThread('a', { status: 'busy' }))
    await store.createThread('', newThread('b'))
    await store.createThread('', newThread('c'))
    await store.changeThread('', 'b', { updatedAt: 2 })
    await store.createThread('', newThread('d'))
    const kept = await Promise.all(['a', 'b', 'c', 'd'].map((id) => store.getThread('', id)))
    expect(kept.map((one) => one?.id)).toEqual(['a', 'b', undefined, 'd'])
  })

  test('that are all busy leave no room', async () => {
    const store = memoryStore({ maxThreads: 1 })
    await store.createThread('', newThread('a', { status: 'busy' }))
    await expect(store.createThread('', newThread('b'))).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      retryable: true,
    })
  })
})
