import { RivuletError } from '@rivulet/protocol'

/** A bounded queue between something that pushes and something that pulls. */
export interface Inbox<T> {
  /** Puts one in. Beyond the bound the inbox ends with `SLOW_CONSUMER`, which can be retried. */
  put(item: T): void
  /** Nothing more comes, because of `error` if there is one. What was put in before can still be taken. */
  end(error?: Error): void
  /** All there is, once there is some; `undefined` at the end. Rejects with the error that ended it. */
  take(): Promise<readonly T[] | undefined>
}

/** An inbox for so many items that wait at once. One reader. */
export function createInbox<T>(maxItems: number): Inbox<T> {
  let items: T[] = []
  let ended: { error: Error | undefined } | undefined
  let wake = () => {}
  const end = (error?: Error) => {
    ended ??= { error }
    wake()
  }
  return {
    put(item) {
      if (ended !== undefined) return
      if (items.length < maxItems) items.push(item)
      else end(new RivuletError('SLOW_CONSUMER', `${maxItems} frames wait to be read`, { retryable: true }))
      wake()
    },
    end,
    async take() {
      if (items.length === 0 && ended === undefined) await new Promise<void>((resolve) => (wake = resolve))
      if (items.length > 0) return items.splice(0)
      if (ended?.error !== undefined) throw ended.error
      return undefined
    },
  }
}
