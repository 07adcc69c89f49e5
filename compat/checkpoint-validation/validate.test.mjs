import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deltaChannelHistoryTests, validate } from '@langchain/langgraph-checkpoint-validation'
import { MemoryCheckpointer } from '../../packages/core/dist/index.js'
import { sqliteStore } from '../../packages/server/dist/sqlite/index.js'
import { AdaptedSaver } from './adapted-saver.mjs'

/** How to let go of what a checkpointer stands on. */
const closing = new WeakMap()

const inMemory = {
  checkpointerName: '@rivulet/core MemoryCheckpointer',
  createCheckpointer: () => new AdaptedSaver(new MemoryCheckpointer()),
}

const inSqlite = {
  checkpointerName: '@rivulet/server/sqlite SqliteCheckpointer',
  createCheckpointer: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rivulet-'))
    const store = sqliteStore(join(folder, 'threads.db'))
    const saver = new AdaptedSaver(store.checkpointer)
    closing.set(saver, async () => {
      await store.close?.()
      await rm(folder, { recursive: true })
    })
    return saver
  },
  destroyCheckpointer: (/** @type {AdaptedSaver} */ saver) => closing.get(saver)(),
}

for (const initializer of [inMemory, inSqlite]) {
  validate(initializer)
  // Not part of what `validate` asks; its authors run it on each of theirs.
  deltaChannelHistoryTests(initializer)
}
