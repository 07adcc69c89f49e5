import { defineConfig } from 'vitest/config'

/** The tests that decide: those of the parts that are mutated, on sources. */
const conditions = ['@rivulet/source', 'module', 'import', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions }, noExternal: [/^@rivulet\//] },
  test: {
    include: [
      'packages/client/src/connection/*.test.ts',
      'packages/client/src/store/live-thread.test.ts',
      'packages/protocol/test/fold/*.test.ts',
    ],
    exclude: ['**/node_modules/**', '**/dist/**'],
  },
})
