import { expect, test } from 'vitest'
import { Command, entrypoint, final, getPreviousState, interrupt, MemoryCheckpointer, task } from '../../src/index.ts'

const double = task('double', (n: number) => n * 2)

test('an entrypoint answers what its function returns', async () => {
  const flow = entrypoint({ name: 'flow' }, async (n: number) => (await double(n)) + 1)
  expect(await flow.invoke(4)).toBe(9)
})

test('updates shows the value of each task and then of the entrypoint; values shows the end, once', async () => {
  const flow = entrypoint({ name: 'flow' }, async (n: number) => (await double(n)) + (await double(n + 1)))
  const chunks = []
  for await (const chunk of flow.stream(1, { streamMode: ['updates', 'values'] })) chunks.push(chunk)
  expect(chunks).toEqual([
    ['updates', { double: 2 }],
    ['updates', { double: 4 }],
    ['updates', { flow: 6 }],
    ['values', 6],
  ])
})

test('tasks that had ended before an interrupt give their value again and do not run again', async () => {
  let runs = 0
  const slow = task('slow', async (n: number) => {
    runs++
    return n * 10
  })
  const flow = entrypoint({ name: 'flow', checkpointer: new MemoryCheckpointer() }, async (n: number) => {
    const value = await slow(n)
    const answer = interrupt<string>(`keep ${value}?`)
    return `${answer}: ${value}`
  })
  const first = []
  for await (const chunk of flow.stream(3, { threadId: 't' })) first.push(chunk)
  expect(first).toEqual([{ slow: 30 }, { __interrupt__: [{ id: expect.any(String), value: 'keep 30?' }] }])
  expect(await flow.invoke(new Command({ resume: 'yes' }), { threadId: 't' })).toBe('yes: 30')
  expect(runs).toBe(1)
})

test('what the last run returned or saved is there for the next on the thread', async () => {
  const sum = entrypoint({ name: 'sum', checkpointer: new MemoryCheckpointer() }, (n: number) => {
    const before = getPreviousState<number>() ?? 0
    return final({ value: `was ${before}`, save: before + n })
  })
  expect(await sum.invoke(2, { threadId: 't' })).toBe('was 0')
  expect(await sum.invoke(3, { threadId: 't' })).toBe('was 2')
  expect(await sum.invoke(0, { threadId: 't' })).toBe('was 5')
})

test('a failing task is retried by its policy, and fails the entrypoint with what it threw', async () => {
  let tries = 0
  const shaky = task({ name: 'shaky', retry: { attempts: 2, delayMs: 0, jitter: false } }, () => {
    tries++
    throw new Error('no luck')
  })
  const flow = entrypoint({ name: 'flow' }, () => shaky())
  await expect(flow.invoke(null)).rejects.toThrow('there is no input')
  await expect(flow.invoke(1)).rejects.toThrow('no luck')
  expect(tries).toBe(2)
})

test('a task called outside of a graph says so', async () => {
  await expect(double(1)).rejects.toMatchObject({ code: 'NO_CONTEXT' })
})

test('a task runs with the context alone', async () => {
  const flow = entrypoint({ name: 'flow' }, (n: number, ctx) => double.within(ctx, n))
  expect(await flow.invoke(21)).toBe(42)
})

test('tasks and debug show the input and what the function returned, not the state that holds them', async () => {
  const flow = entrypoint({ name: 'flow' }, async (n: number) => double(n))
  const tasks = []
  for await (const chunk of flow.stream(2, { streamMode: 'tasks' })) tasks.push(chunk)
  expect(tasks).toMatchObject([
    { name: 'flow', input: 2 },
    { name: 'double', input: [2] },
    { name: 'double', result: 4 },
    { name: 'flow', result: 4 },
  ])
  const debug = []
  for await (const chunk of flow.stream(2, { streamMode: 'debug' })) debug.push(chunk.payload)
  expect(debug).toMatchObject(tasks.map((task) => ({ ...task, id: expect.any(String) })))
})
