import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cases, logs, timeout } from './logs.ts'
import { interpret } from './oracle.ts'
import { screenOf, screenOfPlay } from './screen.ts'
import { statesOf } from './thread.ts'

test(
  'after every event the screen shows what counts of all events so far',
  () => {
    fc.assert(
      fc.property(logs, fc.nat(), (events, luck) => {
        const states = statesOf(events)
        // Every event of short threads, and about twenty of long ones.
        const every = Math.ceil(events.length / 20)
        for (const [i, state] of states.entries()) {
          expect(state.gap).toBeUndefined()
          if (i % every !== luck % every && i !== events.length) continue
          const play = interpret(events.slice(0, i))
          const namespaces = [[], ...play.namespaces(), ['nobody:1']]
          const seen = screenOf(state, namespaces)
          const wanted = screenOfPlay(play, namespaces)
          // The quick comparison first: the one that explains takes long.
          const shown = isDeepStrictEqual(seen, wanted) ? wanted : seen
          expect({ after: i, shown }).toEqual({ after: i, shown: wanted })
        }
      }),
      cases(),
    )
  },
  timeout,
)
