import { useSyncExternalStore } from 'react'

const PARAMETER = 'thread'

/** The id of the thread that the page's address names; changes when somebody navigates. */
export function useThreadLocation(): string | undefined {
  return useSyncExternalStore(subscribe, currentThread)
}

/** The address of a thread; of a new chat without one. */
export function threadHref(threadId?: string): string {
  return threadId === undefined ? '/' : `/?${new URLSearchParams({ [PARAMETER]: threadId })}`
}

/** Shows another thread. `replace` leaves no step to go back to: for a new chat that has just got its id. */
export function goToThread(threadId: string | undefined, { replace = false }: { replace?: boolean } = {}): void {
  if (threadId === currentThread()) return
  history[replace ? 'replaceState' : 'pushState'](null, '', threadHref(threadId))
  for (const listener of listeners) listener()
}

const listeners = new Set<() => void>()

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  window.addEventListener('popstate', listener)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('popstate', listener)
  }
}

function currentThread(): string | undefined {
  return new URLSearchParams(location.search).get(PARAMETER) ?? undefined
}
