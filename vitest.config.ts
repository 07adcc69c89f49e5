import { defineConfig } from 'vitest/config'

/** Tests run on sources: the `@rivulet/source` condition needs no build first. */
const conditions = ['@rivulet/source', 'module', 'import', 'default']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions }, noExternal: [/^@rivulet\//] },
  test: {
    include: [
      'packages/*/{src,test}/**/*.test.{ts,tsx}',
      'apps/*/{src,server,test}/**/*.test.{ts,tsx}',
      'scripts/**/*.test.mjs',
    ],
    exclude: ['**/node_modules/**', '**/dist/**'],
    environment: 'node',
    reporters: ['default'],
    testTimeout: 15_000,
  },
})
