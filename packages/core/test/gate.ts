import { nextTurn } from '@rivulet/protocol'

/** A promise that a test opens when it wants to. */
export interface Gate<T = void> {
  readonly opened: Promise<T>
  readonly open: (value: T) => void
  readonly fail: (error: unknown) => void
}

/** A closed {@link Gate}. */
export function gate<T = void>(): Gate<T> {
  let open: (value: T) => void = () => {}
  let fail: (error: unknown) => void = () => {}
  const opened = new Promise<T>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { opened, open, fail }
}

/** Lets everything run that does not wait for a gate, a timer or a reader. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await nextTurn()
}
