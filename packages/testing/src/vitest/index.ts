export { matchers, type StreamMatchers, type ThreadExpectation } from './matchers.ts'
