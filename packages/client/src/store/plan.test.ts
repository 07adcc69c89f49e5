import { expect, test } from 'vitest'
import { isSameConnection, wantedConnection, type Plan, type Standing } from './plan.ts'

const start = (run: string) => ({ run, graph: 'agent', input: {} })
const read = (until?: string) => ({ until })
const toStart = (run: string) => ({ start: start(run), until: run })
const starting = (run: string, begun = false): Standing => ({ wanted: toStart(run), begun })

function plan(change: Partial<Plan> = {}): Plan {
  return { threadId: 't', starts: [], followers: 0, watched: [], gaveUp: false, ...change }
}

test.each<[string, Partial<Plan>, Standing | undefined, unknown]>([
  ['nobody wants anything', {}, undefined, undefined],
  ['the thread has no id yet', { threadId: undefined, followers: 1 }, undefined, undefined],
  ['somebody follows', { followers: 1 }, undefined, read()],
  ['somebody waits for a run', { watched: ['r1', 'r2'] }, undefined, read('r2')],
  ['a run is to be started', { starts: [start('r1'), start('r2')], followers: 1 }, undefined, toStart('r1')],
  [
    'a run is to be started after a connection was given up',
    { starts: [start('r1')], gaveUp: true },
    undefined,
    toStart('r1'),
  ],
  ['a connection was given up', { followers: 1, watched: ['r1'], gaveUp: true }, undefined, undefined],
  ['a run is being started, whatever else is wanted', { starts: [start('r2')] }, starting('r1'), starting('r1').wanted],
  ['a run has begun and another is to be started', { starts: [start('r2')] }, starting('r1', true), toStart('r2')],
  ['a run has begun and somebody follows', { followers: 1 }, starting('r1', true), starting('r1').wanted],
  ['a run has begun and somebody waits for it', { watched: ['r1'] }, starting('r1', true), starting('r1').wanted],
  ['a run has begun and nobody cares any more', {}, starting('r1', true), undefined],
])('when %s', (_when, change, standing, wanted) => {
  expect(wantedConnection(plan(change), standing)).toEqual(wanted)
})

test('two wishes are the same connection when they start the same run or read the same', () => {
  expect(isSameConnection(undefined, undefined)).toBe(true)
  expect(isSameConnection(read(), undefined)).toBe(false)
  expect(isSameConnection(read(), read())).toBe(true)
  expect(isSameConnection(read(), read('r1'))).toBe(false)
  expect(isSameConnection(read(), starting('r1').wanted)).toBe(false)
  expect(isSameConnection(starting('r1').wanted, starting('r1').wanted)).toBe(true)
  expect(isSameConnection(starting('r1').wanted, starting('r2').wanted)).toBe(false)
})
