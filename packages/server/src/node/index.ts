export { nodeListener, type NodeListener } from './node-listener.ts'
export { serve, type Served, type ServeOptions } from './serve.ts'
