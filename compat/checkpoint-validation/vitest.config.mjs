import { defineConfig } from 'vitest/config'

/** LangGraph's suite takes `describe`, `it` and `expect` from the global scope. */
export default defineConfig({
  test: { root: import.meta.dirname, include: ['*.test.mjs'], globals: true, allowOnly: false },
})
