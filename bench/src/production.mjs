/**
 * What is measured: the production builds, by their place in the repository. A dependency by name would need
 * `workspace:` versions, which npm cannot read; and nothing here may meet the `@rivulet/source` condition.
 */
export const coreUrl = new URL('../../packages/core/dist/node/index.js', import.meta.url)
export const protocolUrl = new URL('../../packages/protocol/dist/node/index.js', import.meta.url)

/** The parser below our own decoder, so that the floor is made of the very same code. */
const parserUrl = new URL('../../packages/protocol/node_modules/eventsource-parser/dist/index.js', import.meta.url)

/** @returns {Promise<typeof import('../../packages/core/dist/index.js')>} */
export const core = () => import(coreUrl.href)

/** @returns {Promise<typeof import('../../packages/protocol/dist/index.js')>} */
export const protocol = () => import(protocolUrl.href)

const wireUrl = (/** @type {string} */ name) =>
  new URL(`../../packages/protocol/dist/node/wires/${name}/index.js`, import.meta.url).href

/** @returns {Promise<typeof import('../../packages/protocol/dist/wires/langgraph/index.js')>} */
export const langGraphWire = () => import(wireUrl('langgraph'))

/** @returns {Promise<typeof import('../../packages/protocol/dist/wires/ai-sdk/index.js')>} */
export const aiSdkWire = () => import(wireUrl('ai-sdk'))

/** @returns {Promise<typeof import('../../packages/protocol/node_modules/eventsource-parser/dist/index.js')>} */
export const parser = () => import(parserUrl.href)
