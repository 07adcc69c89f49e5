import { expect, test } from 'vitest'
import { nodeCounts } from './node-counts.ts'

const task = (node: string, status: 'running' | 'ok' | 'error' | 'cached' | 'aborted', ns: readonly string[] = []) => ({
  node,
  status,
  origin: { run: 'r', ns, task: undefined, attempt: 1 },
})

test('nodes are told by their tasks, however often they ran', () => {
  const { running, finished } = nodeCounts([task('agent', 'ok'), task('tools', 'ok'), task('agent', 'running')])
  expect([...running]).toEqual(['agent'])
  expect([...finished]).toEqual([
    ['agent', 1],
    ['tools', 1],
  ])
})

test('what failed or was given up did not finish', () => {
  expect(nodeCounts([task('agent', 'error'), task('tools', 'aborted')]).finished.size).toBe(0)
})

test('nodes of graphs inside the graph are not its own', () => {
  expect(nodeCounts([task('agent', 'running', ['sub:1'])]).running.size).toBe(0)
})
