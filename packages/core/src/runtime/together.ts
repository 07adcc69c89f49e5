import type { RivuletError } from '@rivulet/protocol'
import type { Task, TaskResult } from './host.ts'
import { ABORTED } from './task.ts'
import type { Turns } from './turns.ts'

/** Tasks that are started in a row before those that wait for nothing have their turn. */
const STARTED_AT_ONCE = 128

/** What running tasks side by side needs of the graph that runs them. */
export interface Together {
  readonly limit: number
  run(task: Task): Promise<TaskResult>
  /** Called once for each task, when it has ended. */
  ended(task: Task, result: TaskResult): void
  /** What to abort the others with when this task failed. */
  failedBeside(task: Task): RivuletError
  /** Aborts what still runs. */
  abort(reason: RivuletError): void
  /** Calls the listener when the graph is stopped; the answer takes it off again. */
  onStop(listener: (reason: RivuletError) => void): () => void
  readonly turns: Turns
}

/**
 * Runs tasks side by side, at most `limit` at once, and answers their results in the order of the tasks. When one fails or
 * the graph is stopped, the rest is aborted and not waited for: a task that ignores its signal holds nobody up.
 */
export function runTogether(tasks: readonly Task[], together: Together): Promise<readonly TaskResult[]> {
  return new Promise((resolve) => {
    const results: (TaskResult | undefined)[] = Array.from({ length: tasks.length })
    let next = 0
    let left = tasks.length
    let running = 0
    let starting = false
    let over = false
    const finish = (): void => {
      over = true
      off()
      // Every place is filled by now: by a result, or by `ABORTED`.
      resolve(results as TaskResult[])
    }
    const end = (i: number, result: TaskResult): void => {
      results[i] = result
      left--
      together.ended(tasks[i]!, result)
    }
    const abortRest = (reason: RivuletError): void => {
      over = true
      together.abort(reason)
      for (const i of results.keys()) if (results[i] === undefined) end(i, ABORTED)
      finish()
    }
    const take = (i: number, task: Task, result: TaskResult): void => {
      if (over) return
      running--
      end(i, result)
      if (result.error !== undefined) abortRest(together.failedBeside(task))
      else if (left === 0) finish()
      else if (!starting) void start()
    }
    // A node may stop the run before the next one of its step has begun.
    const mayStart = (): boolean => !over && running < together.limit && next < tasks.length
    const start = async (): Promise<void> => {
      starting = true
      while (mayStart()) {
        const i = next++
        const task = tasks[i]!
        running++
        void together.run(task).then((result) => take(i, task, result))
        const turn = together.turns.due()
        // What waits for nothing ends before many more begin: thousands alive at once cost the garbage collector dearly.
        if (turn !== undefined || next % STARTED_AT_ONCE === 0) await turn
      }
      starting = false
    }
    let off = (): void => {}
    off = together.onStop(abortRest)
    void start()
  })
}
