import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Tests run on sources, as those of the whole project do. */
const conditions = ['@rivulet/source', 'module', 'import', 'default']
const modules = fileURLToPath(new URL('node_modules', import.meta.url))

/** The tests of `packages/react` as they are, with this folder's React wherever React is imported. */
export default defineConfig({
  root: fileURLToPath(new URL('../..', import.meta.url)),
  resolve: {
    conditions,
    // The alias reaches imports, not what is required by older builds.
    mainFields: ['module', 'main'],
    alias: [{ find: /^(react|react-dom)(\/.*)?$/, replacement: `${modules}/$1$2` }],
  },
  ssr: { resolve: { conditions, externalConditions: conditions }, noExternal: [/^@rivulet\//] },
  test: {
    include: ['packages/react/{src,test}/**/*.test.{ts,tsx}'],
    environment: 'node',
    // What imports React must be looked at, too, for the alias to reach it.
    server: { deps: { inline: [/@testing-library\/react/, /@tanstack\/react-query/] } },
    testTimeout: 15_000,
  },
})
