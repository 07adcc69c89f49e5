import type { ErrorCode, RunStatus } from '@rivulet/protocol'

/** What a server tells of its work. Nothing that a model or a person wrote is in it. Times are milliseconds. */
export type LogEntry =
  | {
      readonly type: 'request'
      /** Time since the epoch at which it came. */
      readonly at: number
      readonly method: string
      /** Its path, without the query. */
      readonly path: string
      readonly status: number
      /** Time until the answer, or its stream, began. */
      readonly ms: number
      /** `undefined` when it was answered before that was known. */
      readonly tenant: string | undefined
    }
  | {
      readonly type: 'run.start'
      readonly at: number
      readonly tenant: string
      readonly thread: string
      readonly run: string
      readonly graph: string
      readonly attempt: number
    }
  | {
      readonly type: 'run.end'
      readonly at: number
      readonly tenant: string
      readonly thread: string
      readonly run: string
      readonly graph: string
      readonly status: RunStatus
      readonly ms: number
      /** Code of the error that ended it. */
      readonly code?: ErrorCode
      /** Node that the error came from. */
      readonly node?: string
    }

/** Where log entries go. */
export type Log = (entry: LogEntry) => void
