import { LibsqlError } from '@libsql/client/sqlite3'
import { messageOfThrown, RivuletError } from '@rivulet/protocol'

/** What a write of an older epoch is told by the database. */
export const STALE_EPOCH = 'RIVULET_STALE_EPOCH'

/** An error of ours for one of the database's: `RUN_CONFLICT` for a stale writer, `LIMIT_EXCEEDED` for a full disk, else `INTERNAL`. */
export function databaseError(error: unknown): RivuletError {
  if (error instanceof RivuletError) return error
  const sentence = messageOfThrown(error)
  if (sentence.includes(STALE_EPOCH)) {
    return new RivuletError('RUN_CONFLICT', 'another process has taken this database over', { cause: error })
  }
  if (error instanceof LibsqlError && error.code === 'SQLITE_FULL') {
    // There may be room again later.
    return new RivuletError('LIMIT_EXCEEDED', 'the disk is full', { retryable: true, cause: error })
  }
  return new RivuletError('INTERNAL', `the database failed: ${sentence}`, { cause: error })
}
