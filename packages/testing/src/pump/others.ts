import type { OpenRequest, Transport } from '@rivulet/client'
import type { ScriptedRun } from '../script/item.ts'

/** Everybody else who starts runs on these threads. */
export class Others {
  readonly #backend: Transport
  readonly #upcoming: (thread: string) => ScriptedRun | undefined
  /** Threads whose run of ours is under way. */
  readonly #busy = new Set<string>()
  readonly #counts = new Map<string, number>()

  constructor(backend: Transport, upcoming: (thread: string) => ScriptedRun | undefined) {
    this.#backend = backend
    this.#upcoming = upcoming
  }

  /** Begins the thread's next run when that plays by itself. Resolves at its end, with `false` when it was refused. */
  begin(thread: string): Promise<boolean> | undefined {
    const upcoming = this.#upcoming(thread)
    if (upcoming?.input === undefined || this.#busy.has(thread)) return undefined
    this.#busy.add(thread)
    const count = (this.#counts.get(thread) ?? 0) + 1
    this.#counts.set(thread, count)
    const { input, resumes, id = `run${count}` } = upcoming
    const start = { run: id, graph: 'script', ...(resumes ? { input: undefined, resume: input } : { input }) }
    return this.#watch(thread, start)
  }

  /** Plays one run after another until the next one waits for the page. */
  async playAll(thread: string): Promise<void> {
    while (await this.begin(thread));
  }

  async #watch(thread: string, start: NonNullable<OpenRequest['start']>): Promise<boolean> {
    const { signal } = new AbortController()
    try {
      for await (const _frame of this.#backend.open({ thread, start }, { signal, after: undefined }));
      return true
    } catch {
      // While the page's own run is under way.
      return false
    } finally {
      this.#busy.delete(thread)
    }
  }
}
