import type { RivuletEvent } from '@rivulet/protocol'
import type { Tape } from './tape.ts'

/** Gives the text that stands for another. Of another length it is cut or filled up with `x`: offsets must still fit. */
export type Redact = (text: string) => string

/** Hides every letter and digit, and keeps spaces and signs: what was said is gone, its shape stays. */
export function maskText(text: string): string {
  return text
    .replaceAll(/\p{L}/gu, (letter) => 'x'.repeat(letter.length))
    .replaceAll(/\p{N}/gu, (digit) => '1'.repeat(digit.length))
}

/**
 * A tape without what people, models and tools said: message texts (deltas of one part are taken together, so that no
 * secret hides across two), parts, tool arguments and results, custom data, state, questions, inputs, errors' sentences.
 * Ids, names of nodes, tools and keys, and times stay: the tape folds as before. Pure.
 */
export function redactTape(tape: Tape, redact: Redact = maskText): Tape {
  const cover = (text: string) => redact(text).slice(0, text.length).padEnd(text.length, 'x')
  const streamed = coveredDeltas(tape.events, cover)
  return { ...tape, events: tape.events.map((event) => streamed.get(event) ?? redactEvent(event, cover)) }
}

type Delta = Extract<RivuletEvent, { type: 'message.delta' }>

/** Deltas by what they were, each with its piece of its part's covered text. */
function coveredDeltas(events: readonly RivuletEvent[], cover: Redact): ReadonlyMap<RivuletEvent, RivuletEvent> {
  const covered = new Map<RivuletEvent, RivuletEvent>()
  const open = new Map<string, Delta[]>()
  const close = (key: string) => {
    const deltas = open.get(key) ?? []
    const text = cover(deltas.map((delta) => delta.text).join(''))
    let at = 0
    for (const delta of deltas) {
      covered.set(delta, { ...delta, text: text.slice(at, at + delta.text.length) })
      at += delta.text.length
    }
    open.delete(key)
  }
  for (const event of events) {
    if (event.type !== 'message.delta') continue
    const key = JSON.stringify([event.id, event.part])
    // A part that begins again was withdrawn in between.
    if (event.at === 0) close(key)
    open.set(key, [...(open.get(key) ?? []), event])
  }
  for (const key of open.keys()) close(key)
  return covered
}

/** Fields that hold what was said, wherever they stand. */
const SAID = new Set([
  'content',
  'text',
  'args',
  'input',
  'output',
  'data',
  'value',
  'values',
  'set',
  'update',
  'result',
  'parts',
  'url',
  'metadata',
])

function redactEvent(event: RivuletEvent, cover: Redact): RivuletEvent {
  // Only texts were exchanged for others: the shape is what it was.
  return redactIn(event, cover, false) as RivuletEvent
}

/** Names of kinds, in fields that may stand inside of what was said. */
const NAMES = new Set(['type', 'kind', 'mediaType', 'role', 'id', 'name'])

function redactIn(value: unknown, cover: Redact, isSaid: boolean): unknown {
  if (typeof value === 'string') return isSaid ? cover(value) : value
  if (Array.isArray(value)) return value.map((item: unknown) => redactIn(item, cover, isSaid))
  if (typeof value !== 'object' || value === null) return value
  const isError = 'code' in value && 'message' in value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => {
      const isText = SAID.has(key) || (isError && key === 'message') || (isSaid && !NAMES.has(key))
      return [key, redactIn(inner, cover, isText)]
    }),
  )
}
