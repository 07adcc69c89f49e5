export { chaosProxy, type ChaosProxy, type ChaosProxyOptions } from './chaos-proxy.ts'
export { serveScript, type ScriptServer } from './serve-script.ts'
