import { RivuletError } from '@rivulet/protocol/model'
import type { TimeoutPolicy } from '../graph/plan.ts'
import type { Closable } from './host.ts'

/** Aborts the attempt when its time is up. Answers what ends the watch. */
export function limitTime(attempt: Closable, run: string, { runMs, idleMs }: TimeoutPolicy): () => void {
  const { name: node } = attempt.task.spec
  const expire = (how: string): void =>
    attempt.close(new RivuletError('NODE_TIMEOUT', `node "${node}" ${how}`, { node, run }), true)
  const whole = runMs === undefined ? undefined : setTimeout(expire, runMs, `ran longer than ${runMs} ms`)
  const stopIdle = idleMs === undefined ? undefined : watchIdle(attempt, idleMs, expire)
  return () => {
    clearTimeout(whole)
    stopIdle?.()
  }
}

/** One timer whatever happens in between: when it fires, it waits for what is left since the last sign of life. */
function watchIdle(attempt: Closable, idleMs: number, expire: (how: string) => void): () => void {
  let last = performance.now()
  attempt.onLife = () => (last = performance.now())
  const look = (): void => {
    const left = last + idleMs - performance.now()
    if (left > 0) timer = setTimeout(look, Math.ceil(left))
    else expire(`gave no sign of life for ${idleMs} ms`)
  }
  let timer = setTimeout(look, idleMs)
  return () => {
    clearTimeout(timer)
    attempt.onLife = undefined
  }
}
