import { useReducer } from 'react'

/**
 * A function that renders the component again; always the same one.
 *
 * The hooks here read the thread while they render and ask for another render when it has changed, instead of using
 * `useSyncExternalStore`: what that asks for interrupts every transition, which then begins anew, so that while text
 * streams no transition that takes longer than the pause between two frames would ever end. An ordinary update lets the
 * transition finish first. See docs/hook.md.
 */
export function useRerender(): () => void {
  return useReducer((count: number) => count + 1, 0)[1]
}
