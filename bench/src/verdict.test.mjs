import assert from 'node:assert/strict'
import { test } from 'node:test'
import { atMost } from './rows/row.mjs'
import { verdict } from './verdict.mjs'

const target = atMost('peer / 50', (of) => of('peer') / 50)

/** @param {Record<string, number>} values */
const measured =
  (values) =>
  /** @param {string} subject */
  (subject) =>
    values[subject] ?? NaN

void test('a target is reached up to its limit', () => {
  assert.deepEqual(verdict(target, measured({ ours: 2, peer: 100 })), {
    says: 'peer / 50',
    outcome: 'reached',
    share: 1,
  })
})

void test('a target beyond its limit is missed, and by how much is told', () => {
  const { outcome, share } = verdict(target, measured({ ours: 5, peer: 100 }))
  assert.equal(outcome, 'missed')
  assert.equal(share, 2.5)
})

void test('a target whose peer did not run is not measured', () => {
  assert.equal(verdict(target, measured({ ours: 2 })).outcome, 'not measured')
})
