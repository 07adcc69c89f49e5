import { RivuletError, type StreamableGraph, type StreamMode } from '@rivulet/protocol'
import {
  asFields,
  type Fields,
  invalid,
  optionalChoice,
  optionalCount,
  optionalFields,
  optionalText,
  optionalTexts,
  text,
} from '../http/fields.ts'
import type { RunRequest, Target } from '../runs/run-request.ts'

/** Stream modes as LangGraph's clients name them, beside the ones that are not served. */
export const PEER_MODES = [
  'values',
  'updates',
  'messages',
  'messages-tuple',
  'custom',
  'tools',
  'tasks',
  'checkpoints',
  'debug',
] as const

/** One of {@link PEER_MODES}. */
export type PeerMode = (typeof PEER_MODES)[number]

/** What a reader wants of a run's stream. */
export interface PeerView {
  readonly modes: readonly PeerMode[]
  readonly subgraphs: boolean
}

/** A run as a client of LangGraph asks for it. */
export interface PeerRun {
  /** The assistant that is to run, before it is looked up. */
  readonly assistant: string
  readonly request: RunRequest
  readonly view: PeerView
  /** Whether the thread is made when it is not there. */
  readonly makesThread: boolean
  /** Whether a thread that was made for this run alone stays. */
  readonly keepsThread: boolean
}

const STRATEGIES = ['reject', 'enqueue', 'interrupt', 'rollback'] as const
const MAX_RECURSION = 10_000
/** What a run cannot be asked for here, with why. */
const REFUSED: readonly (readonly [field: string, why: string])[] = [
  ['webhook', 'the server calls no address that a client sent'],
  ['after_seconds', 'runs begin when they are asked for'],
]
/** Fields of `configurable` that say where, not how. */
const PLACES: ReadonlySet<string> = new Set(['thread_id', 'checkpoint_id', 'checkpoint_ns', 'checkpoint_map'])

/**
 * Reads the body of a run's start as LangGraph has it. `graphOf` finds the graph of an assistant. Throws `INVALID_INPUT`
 * with the field that is wrong, `UNSUPPORTED` for what is not served, and what `graphOf` throws.
 */
export function readPeerRun(json: unknown, graphOf: (assistant: string) => StreamableGraph): PeerRun {
  const body = asFields(json, 'the body')
  for (const [field, why] of REFUSED) {
    if ((body[field] ?? undefined) !== undefined) throw new RivuletError('UNSUPPORTED', `${field}: ${why}`)
  }
  const assistant = text(body, 'assistant_id')
  const graph = graphOf(assistant)
  const view = { modes: peerModes(body['stream_mode']) ?? ['values'], subgraphs: body['stream_subgraphs'] === true }
  const multitask = optionalChoice(body, 'multitask_strategy', STRATEGIES) ?? 'reject'
  const metadata = optionalFields(body, 'metadata')
  const adapter = { modes: view.modes, subgraphs: view.subgraphs, multitask, ...(metadata && { metadata }) }
  const request: RunRequest = {
    ...requestOf(assistant, body),
    modes: recordedModes(view.modes),
    multitask,
    onDisconnect: optionalChoice(body, 'on_disconnect', ['continue', 'cancel'] as const) ?? 'continue',
    ...breakpointsOf(body, graph),
    adapter,
  }
  return {
    assistant,
    request,
    view,
    makesThread: optionalChoice(body, 'if_not_exists', ['create', 'reject'] as const) === 'create',
    keepsThread: optionalChoice(body, 'on_completion', ['delete', 'keep'] as const) === 'keep',
  }
}

/** What a run is asked to do, of the fields that both of LangGraph's protocols have. */
export function requestOf(graph: string, body: Fields): RunRequest {
  const config = optionalFields(body, 'config') ?? {}
  const configurable = optionalFields(config, 'configurable') ?? {}
  const tags = optionalTexts(config, 'tags')
  return {
    graph,
    ...commandOf(body),
    run: undefined,
    modes: [],
    after: undefined,
    checkpointId: checkpointOf(body) ?? optionalText(configurable, 'checkpoint_id'),
    metadata: { ...optionalFields(config, 'metadata'), ...optionalFields(body, 'metadata') },
    tags,
    context: body['context'] ?? contextOf(configurable),
    recursionLimit: optionalCount(config, 'recursion_limit', MAX_RECURSION),
    multitask: 'reject',
    onDisconnect: 'continue',
    // A new input gives a question up: these clients have no other way to say so.
    onInterrupted: 'discard',
  }
}

/** The id in `checkpoint` or `checkpoint_id`. Throws `UNSUPPORTED` for one below the root. */
function checkpointOf(body: Fields): string | undefined {
  const checkpoint = optionalFields(body, 'checkpoint') ?? {}
  const ns = optionalText(checkpoint, 'checkpoint_ns') ?? ''
  if (ns !== '') throw new RivuletError('UNSUPPORTED', 'only checkpoints of the root graph can be gone back to')
  return optionalText(checkpoint, 'checkpoint_id') ?? optionalText(body, 'checkpoint_id')
}

function contextOf(configurable: Fields): Fields | undefined {
  const own = Object.entries(configurable).filter(([name]) => !PLACES.has(name) && !name.startsWith('__'))
  return own.length === 0 ? undefined : Object.fromEntries(own)
}

/** Input, answer and jump: a command stands in place of an input. */
function commandOf(body: Fields): Pick<RunRequest, 'input' | 'resume' | 'goto'> {
  const command = optionalFields(body, 'command')
  if (command === undefined) return { input: body['input'] ?? null, resume: undefined }
  const resume = command['resume']
  const update = command['update'] ?? (resume === undefined ? undefined : body['input']) ?? null
  const goto = gotoOf(command['goto'])
  checkOneWay(resume, goto)
  return { input: update === null ? null : updateOf(update), resume, ...(resume === undefined && { goto }) }
}

/** Throws `UNSUPPORTED` for a command that answers and jumps: what follows an answer is the graph's own affair. */
export function checkOneWay(resume: unknown, goto: readonly Target[]): void {
  if (resume === undefined || goto.length === 0) return
  throw new RivuletError('UNSUPPORTED', 'a command answers (resume) or says where to go (goto), not both')
}

/** An update of state keys: an object, or a list of pairs. */
export function updateOf(update: unknown): Fields {
  if (Array.isArray(update) && update.every((pair) => Array.isArray(pair) && typeof pair[0] === 'string')) {
    // Just looked at: pairs of a key and its value.
    return Object.fromEntries(update as [string, unknown][])
  }
  return asFields(update, 'an update')
}

/** Where a command leads: a node, a node with an input of its own, or a list of those. */
export function gotoOf(value: unknown): readonly Target[] {
  const targets: readonly unknown[] = Array.isArray(value) ? value : (value ?? undefined) === undefined ? [] : [value]
  return targets.map((target) => {
    if (typeof target === 'string') return target
    const fields = asFields(target, 'goto')
    return { node: text(fields, 'node'), input: fields['input'] }
  })
}

/** The stream modes in a body or a query; `undefined` when none are named. */
export function peerModes(value: unknown): readonly PeerMode[] | undefined {
  const names: readonly unknown[] =
    typeof value === 'string'
      ? [value]
      : Array.isArray(value)
        ? value
        : (value ?? undefined) === undefined
          ? []
          : [value]
  if (names.length === 0) return undefined
  return names.map((name) => {
    const mode = PEER_MODES.find((one) => one === name)
    if (mode !== undefined) return mode
    if (name === 'events')
      throw new RivuletError('UNSUPPORTED', 'stream mode "events" is LangChain’s own and not served')
    throw invalid(`stream_mode may be ${PEER_MODES.join(', ')}, not ${JSON.stringify(name)}`)
  })
}

/** What a run must record for these modes. */
function recordedModes(modes: readonly PeerMode[]): readonly StreamMode[] {
  const recorded = new Set<StreamMode>()
  for (const mode of modes) {
    if (mode === 'updates' || mode === 'tasks' || mode === 'checkpoints') recorded.add(mode)
    if (mode === 'debug') for (const one of ['tasks', 'checkpoints', 'debug'] as const) recorded.add(one)
  }
  return [...recorded]
}

function breakpointsOf(body: Fields, graph: StreamableGraph): Partial<RunRequest> {
  const before = nodesIn(body['interrupt_before'], graph)
  const after = nodesIn(body['interrupt_after'], graph)
  return { ...(before && { interruptBefore: before }), ...(after && { interruptAfter: after }) }
}

/** Names of nodes; `"*"` means all of them. */
function nodesIn(value: unknown, graph: StreamableGraph): readonly string[] | undefined {
  if (value !== '*') return optionalTexts({ nodes: value }, 'nodes')
  return nodesOf(graph).filter((name) => !name.startsWith('__'))
}

/** Names of a graph's nodes, its entry and exit too; none of a graph that does not describe itself. */
export function nodesOf(graph: StreamableGraph): readonly string[] {
  const { nodes } = asFields(graph.describe?.() ?? {}, 'a description')
  if (!Array.isArray(nodes)) return []
  return nodes.flatMap((node: unknown) => optionalText(asFields(node, 'a node'), 'id') ?? [])
}
