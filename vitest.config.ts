import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import type { TestProjectInlineConfiguration } from 'vitest/config'
import { findChromium } from './apps/demo/test/find-chromium.ts'

/** Tests run on sources: the `@rivulet/source` condition needs no build first. */
const conditions = ['@rivulet/source', 'module', 'import', 'default']

const node: TestProjectInlineConfiguration = {
  extends: true,
  test: {
    name: 'node',
    include: [
      'packages/*/{src,test}/**/*.test.{ts,tsx}',
      'apps/*/{src,server,test}/**/*.test.{ts,tsx}',
      'scripts/**/*.test.mjs',
      'reliability/test/**/*.test.{ts,tsx}',
    ],
    environment: 'node',
    setupFiles: ['./scripts/vitest/no-surprises.mjs'],
    execArgv: ['--unhandled-rejections=strict'],
  },
}

/**
 * The runtime's tests again, in one page: it must ask nothing of its platform that a browser does not have. And those of
 * what reads wires: the same bytes are to mean the same there.
 */
const page = (executablePath: string): TestProjectInlineConfiguration => ({
  extends: true,
  test: {
    name: 'chromium',
    include: [
      'packages/core/test/{agents,features,golden,properties,regressions,streaming-guide,tools}/**/*.test.ts',
      'packages/protocol/{src/sse,test/wires}/**/*.test.ts',
    ],
    // What only Node can show says so in its name.
    exclude: ['**/node_modules/**', '**/*.node.test.ts'],
    // A frame for each file: fake timers of one file were seen to outlive it.
    isolate: true,
    fileParallelism: false,
    browser: {
      enabled: true,
      headless: true,
      screenshotFailures: false,
      provider: playwright({ launchOptions: { executablePath, args: ['--no-sandbox'] } }),
      instances: [{ browser: 'chromium' }],
    },
  },
})

const chromium = findChromium()

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions }, noExternal: [/^@rivulet\//] },
  test: {
    projects: [node, ...(chromium === undefined ? [] : [page(chromium)])],
    exclude: ['**/node_modules/**', '**/dist/**'],
    reporters: ['default'],
    testTimeout: 15_000,
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.{ts,tsx}'],
      exclude: ['**/*.test.{ts,tsx}', '**/*.test-d.{ts,tsx}'],
      reporter: ['text', 'json-summary'],
      reportsDirectory: '.cache/coverage',
      reportOnFailure: true,
      thresholds: {
        lines: 95,
        branches: 90,
        'packages/client/src/connection/**': { lines: 100, branches: 100 },
        'packages/protocol/src/**': { lines: 97, branches: 90 },
      },
    },
  },
})
