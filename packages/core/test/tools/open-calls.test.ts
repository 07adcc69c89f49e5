import type { Message } from '@rivulet/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { openTurn, withAnsweredCalls, withOwnIds } from '../../src/tools/open-calls.ts'

const user = (id: string): Message => ({ id, role: 'user', content: id })
const asks = (id: string, ...calls: string[]): Message => ({
  id,
  role: 'assistant',
  content: '',
  toolCalls: calls.map((call) => ({ id: call, name: 'do', args: '{}' })),
})
const answers = (call: string, id = `to-${call}`): Message => ({ id, role: 'tool', content: 'ok', toolCallId: call })

/** Calls that another message than an answer comes behind, or nothing, before they are answered. */
function unansweredIn(messages: readonly Message[]): string[] {
  const missed: string[] = []
  let open = new Set<string>()
  for (const { toolCallId, toolCalls } of [...messages, user('end')]) {
    if (toolCallId === undefined) missed.push(...open)
    else open.delete(toolCallId)
    if (toolCallId === undefined) open = new Set(toolCalls?.map(({ id }) => id))
  }
  return missed
}

describe('a conversation for a model', () => {
  test('that has an answer behind every call is the same list', () => {
    const whole = [user('u'), asks('a', '1', '2'), answers('2'), answers('1'), user('v')]
    expect(withAnsweredCalls(whole)).toBe(whole)
  })

  test('has an answer for a call that was cut off, behind its message', () => {
    const cut = [user('u'), asks('a', '1', '2'), answers('1'), user('v')]
    expect(withAnsweredCalls(cut)).toEqual([
      cut[0],
      cut[1],
      cut[2],
      {
        id: 'a/2',
        role: 'tool',
        content: 'Error: this call was cut off before it had an answer.',
        toolCallId: '2',
        name: 'do',
      },
      cut[3],
    ])
  })

  test('has answers that came late where they belong', () => {
    const late = [asks('a', '1'), user('v'), answers('1')]
    expect(withAnsweredCalls(late)).toEqual([late[0], late[2], late[1]])
  })

  test('of any order keeps every message once, and answers every call right behind it', () => {
    const message = fc.oneof(
      fc.nat(9).map((n) => user(`u${n}`)),
      fc.uniqueArray(fc.nat(5).map(String), { maxLength: 3 }).map((calls) => asks(`a${calls.join()}`, ...calls)),
      fc.nat(5).map((call) => answers(String(call))),
    )
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), (given) => {
        const list = given.map((one) => ({ ...one }))
        const whole = withAnsweredCalls(list)
        const kept = whole.filter((one) => list.includes(one))
        expect([kept.length, new Set(kept).size]).toEqual([list.length, list.length])
        expect(unansweredIn(whole)).toEqual([])
        expect(withAnsweredCalls(whole)).toBe(whole)
      }),
    )
  })
})

describe('the open turn', () => {
  test('is the last assistant message, with the calls nobody answered', () => {
    const list = [asks('a', '1'), answers('1'), asks('b', '2', '3'), answers('3')]
    expect(openTurn(list)).toEqual({ message: list[2], calls: [{ id: '2', name: 'do', args: '{}' }] })
    expect(openTurn([user('u')])).toBeUndefined()
    expect(openTurn([asks('a', '1'), user('u'), asks('b')])).toBeUndefined()
  })

  test('keeps ids that name one call each', () => {
    const list = [asks('a', '1', '2')]
    const turn = openTurn(list)!
    expect(withOwnIds(list, turn)).toEqual({ turn, renamed: false })
  })

  test.each([
    ['given twice in one message', [asks('b', '1', '1')], ['1', 'b.1']],
    ['of an earlier turn', [asks('a', '1'), answers('1'), asks('b', '1', '2')], ['b.0', '2']],
    ['that are empty', [asks('b', '', '')], ['b.0', 'b.1']],
  ])('gets new ids for those %s', (_what, list, ids) => {
    const { turn, renamed } = withOwnIds(list, openTurn(list)!)
    expect(renamed).toBe(true)
    expect(turn.message.toolCalls?.map(({ id }) => id)).toEqual(ids)
    expect(turn.calls.map(({ id }) => id)).toEqual(ids)
  })

  test('keeps the id of a call that has its answer', () => {
    const list = [asks('a', '1'), answers('1', 'x'), asks('b', '1', '2'), answers('1', 'y')]
    const { turn } = withOwnIds(list, openTurn(list)!)
    expect(turn.message.toolCalls?.map(({ id }) => id)).toEqual(['1', '2'])
  })
})
