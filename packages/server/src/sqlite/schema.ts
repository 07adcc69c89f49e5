import { STALE_EPOCH } from './database-error.ts'

/**
 * The tables. `memory` is a thread's random name, made anew with the thread, which all that belongs to it stands under.
 *
 * `events` holds, in the order of their writing so that a commit for many threads touches few pages, one row a group that was appended together: the JSON list of its events, the first of which has `first`
 * as its `seq` and each other the one after, unless it says otherwise. `checkpoints.data` is a whole state or, where `whole` is 0, the
 * difference to its parent's.
 */
export const schema: readonly string[] = [
  'CREATE TABLE IF NOT EXISTS owner (one INTEGER PRIMARY KEY CHECK (one = 1), epoch INTEGER NOT NULL)',
  'INSERT OR IGNORE INTO owner VALUES (1, 0)',
  'CREATE VIEW IF NOT EXISTS epoch_check AS SELECT 0 AS epoch',
  `CREATE TRIGGER IF NOT EXISTS refuse_stale_epoch INSTEAD OF INSERT ON epoch_check
    WHEN NEW.epoch <> (SELECT epoch FROM owner) BEGIN SELECT RAISE(ABORT, '${STALE_EPOCH}'); END`,
  `CREATE TABLE IF NOT EXISTS threads (
    memory TEXT PRIMARY KEY, tenant TEXT NOT NULL, id TEXT NOT NULL, graph TEXT, metadata TEXT NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, status TEXT NOT NULL,
    log TEXT NOT NULL, trimmed_to INTEGER NOT NULL DEFAULT 0, UNIQUE (tenant, id))`,
  'CREATE INDEX IF NOT EXISTS threads_by_use ON threads (tenant, updated_at DESC, id)',
  `CREATE TABLE IF NOT EXISTS runs (
    ordinal INTEGER PRIMARY KEY, memory TEXT NOT NULL, id TEXT NOT NULL, status TEXT NOT NULL, run TEXT NOT NULL, request TEXT,
    UNIQUE (memory, id))`,
  `CREATE INDEX IF NOT EXISTS runs_in_flight ON runs (memory, ordinal) WHERE status IN ('running', 'queued')`,
  `CREATE TABLE IF NOT EXISTS events (
    ordinal INTEGER PRIMARY KEY, memory TEXT NOT NULL, last INTEGER NOT NULL, first INTEGER NOT NULL,
    count INTEGER NOT NULL, data TEXT NOT NULL)`,
  'CREATE UNIQUE INDEX IF NOT EXISTS events_by_thread ON events (memory, last)',
  'CREATE TABLE IF NOT EXISTS snapshots (memory TEXT PRIMARY KEY, seq INTEGER NOT NULL, state TEXT NOT NULL)',
  `CREATE TABLE IF NOT EXISTS checkpoints (
    ordinal INTEGER PRIMARY KEY, memory TEXT NOT NULL, ns TEXT NOT NULL, id TEXT NOT NULL, parent TEXT,
    whole INTEGER NOT NULL, data TEXT NOT NULL, rest TEXT NOT NULL, pending TEXT, UNIQUE (memory, ns, id))`,
]
