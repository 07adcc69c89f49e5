export { script, type SayOptions, type Script, type ScriptedEnd, type ScriptOptions } from './script/script.ts'
export type { Item, RawEvent, ScriptedRun, ScriptedToolCall } from './script/item.ts'
export { compileRun, type RunContext } from './script/compile.ts'
export type { Playable, Playables, Source } from './pump/playable.ts'
export { pump, type Pump, type PumpOptions } from './pump/pump.ts'
export type { Connection, StageView } from './pump/stage.ts'
export { foreignFetch, type ForeignOptions, type WireEncoder } from './delivery/foreign-fetch.ts'
export { memoryFetch, memoryTransport, type MemoryOptions } from './delivery/memory-transport.ts'
export type { DeliveryOptions } from './delivery/connections.ts'
export { memoryWebSocket, type WebSocketClass } from './delivery/memory-web-socket.ts'
export { webSocketPair, type PairedSocket, type PairEnd } from './delivery/web-socket-pair.ts'
export { withFaults, type Act, type ByteFault, type Fault } from './faults/act.ts'
export {
  faults,
  type CutKind,
  type CutPlace,
  type FaultPlan,
  type Faults,
  type StatusOptions,
} from './faults/faults.ts'
export { fuzz, type FuzzFailure, type FuzzOptions } from './tape/fuzz.ts'
export { record, type Recorder, type RecordOptions } from './tape/record.ts'
export { maskText, redactTape, type Redact } from './tape/redact.ts'
export { bisect, cutTape, scrub, tapeOf, type Break, type Invariant, type Tape } from './tape/tape.ts'
