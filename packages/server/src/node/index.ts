export { nodeListener, type NodeListener } from './node-listener.ts'
export { webSockets, type UpgradeListener, type WebSockets } from './web-sockets.ts'
export { serve, type Served, type ServeOptions } from './serve.ts'
