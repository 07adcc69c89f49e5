import { parseCursor, type StreamMode } from '@rivulet/protocol'
import {
  asFields,
  checkId,
  type Fields,
  invalid,
  optionalChoice,
  optionalCount,
  optionalFields,
  optionalModes,
  optionalText,
  optionalTexts,
  text,
} from '../http/fields.ts'

/** What a client asks of a run. */
export interface RunRequest {
  readonly graph: string
  /** The graph's input; `null` goes on from where the thread stands. Beside `resume`, an update with state keys. */
  readonly input: unknown
  /** Id the client made; sent again, it joins the run. */
  readonly run: string | undefined
  /** Modes to record beyond the ones that always are. */
  readonly modes: readonly StreamMode[]
  /** Cursor of the last event the client has. */
  readonly after: string | undefined
  /** Answers the thread's interrupts; `undefined` when it answers none. */
  readonly resume: unknown
  /** Nodes to run next, besides what follows from where the thread stands; `input` is then an update with state keys. */
  readonly goto?: readonly Target[] | undefined
  /** Nodes before which the run stops, in place of those the graph was compiled with. */
  readonly interruptBefore?: readonly string[] | undefined
  /** Nodes after which the run stops, in place of those the graph was compiled with. */
  readonly interruptAfter?: readonly string[] | undefined
  readonly checkpointId: string | undefined
  readonly metadata: Fields | undefined
  readonly tags: readonly string[] | undefined
  readonly context: unknown
  readonly recursionLimit: number | undefined
  /**
   * What to do when the thread is busy: refuse this run, let it wait, or stop the runs before it, keeping what they had
   * said (`interrupt`) or taking the thread back to where the running one began (`rollback`).
   */
  readonly multitask: Multitask
  /** What becomes of the run when the client that started it leaves before its end. */
  readonly onDisconnect: OnDisconnect
  /** What an adapter to another protocol wants to find again on the run; nothing of it reaches the graph. */
  readonly adapter?: Fields | undefined
  /** What a new input does on a thread that waits for an answer: it is refused, or the question is given up. */
  readonly onInterrupted: OnInterrupted
}

/** A node to run next, with an input of its own where it is not to read the state. */
export type Target = string | { readonly node: string; readonly input: unknown }

const MULTITASK = ['reject', 'enqueue', 'interrupt', 'rollback'] as const
type Multitask = (typeof MULTITASK)[number]
const ON_DISCONNECT = ['continue', 'cancel'] as const
type OnDisconnect = (typeof ON_DISCONNECT)[number]
const ON_INTERRUPTED = ['reject', 'discard'] as const
type OnInterrupted = (typeof ON_INTERRUPTED)[number]
/** Most supersteps that a client may ask for. */
const MAX_RECURSION = 10_000

/** Reads the body of a run's start. Throws `INVALID_INPUT` with the field that is wrong. */
export function readRunRequest(json: unknown): RunRequest {
  const body = asFields(json, 'the body')
  const run = optionalText(body, 'run')
  const input = body['input'] ?? null
  const goto = optionalTexts(body, 'goto')
  // Beside an answer or a jump the input is an update of the state.
  if ((body['resume'] !== undefined || goto !== undefined) && input !== null) asFields(input, 'input')
  return {
    graph: text(body, 'graph'),
    input,
    run: run === undefined ? undefined : checkId(run, 'run'),
    modes: optionalModes(body, 'modes') ?? [],
    after: checkCursor(optionalText(body, 'after')),
    resume: body['resume'],
    ...(goto && { goto }),
    checkpointId: optionalText(body, 'checkpointId'),
    metadata: optionalFields(body, 'metadata'),
    tags: optionalTexts(body, 'tags'),
    context: body['context'],
    recursionLimit: optionalCount(body, 'recursionLimit', MAX_RECURSION),
    multitask: optionalChoice(body, 'multitask', MULTITASK) ?? 'reject',
    onDisconnect: optionalChoice(body, 'onDisconnect', ON_DISCONNECT) ?? 'continue',
    onInterrupted: optionalChoice(body, 'onInterrupted', ON_INTERRUPTED) ?? 'reject',
  }
}

/** Throws `INVALID_INPUT` for what is no cursor of any thread. */
export function checkCursor(after: string | undefined): string | undefined {
  if (after === undefined || parseCursor(after) !== undefined) return after
  throw invalid('after is not a cursor of a thread')
}

/**
 * A digest of what a run was asked to do, the same whatever the order of keys: its id, where the client reads from and
 * what it does when others are in its way are no part of it.
 */
export async function fingerprintOf(request: RunRequest): Promise<string> {
  const {
    run: _run,
    after: _after,
    multitask: _multitask,
    onDisconnect: _leave,
    onInterrupted: _asks,
    adapter: _adapter,
    ...asked
  } = request
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(asked, sortedKeys)))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
