import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Store } from '../src/index.ts'
import { sqliteStore, type SqliteStoreOptions } from '../src/sqlite/index.ts'

/** A path for a database, gone with the test. */
export async function temporaryPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rivulet-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'made', 'data.db')
}

/** A store in a file of its own, gone with the test. */
export async function temporaryStore(options: SqliteStoreOptions = {}): Promise<Store> {
  return openStore(await temporaryPath(), options)
}

/** Opens a file; it is closed with the test. */
export function openStore(path: string, options: SqliteStoreOptions = {}): Store {
  const store = sqliteStore(path, options)
  onTestFinished(() => store.close!())
  return store
}
