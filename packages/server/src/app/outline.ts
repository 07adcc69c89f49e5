import type { GraphState } from '@rivulet/protocol'

/** A state of which only the order of messages matters: the ids of each list whose items have ids, and nothing else. */
export function outlineOf(state: GraphState): GraphState {
  const values: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(state.values)) {
    if (isList(value)) values[key] = value.map(({ id }) => ({ id }))
  }
  return { ...state, values }
}

function isList(value: unknown): value is readonly { id: string }[] {
  return Array.isArray(value) && value.every((item: { id?: unknown } | null) => typeof item?.id === 'string')
}
