import type { Multitask, SubmitOptions } from '@rivulet/client'
import { RivuletError, type StreamMode } from '@rivulet/protocol'
import { fromLegacyMessage } from './legacy-message.ts'

/** What the legacy hook's `submit` took. What is missing here needs no option: streams resume by themselves. */
export interface LegacySubmitOptions {
  /**
   * `resume` answers the thread's interrupt; `goto` names nodes to run next; `update` beside either changes the state. A
   * `Send` in `goto` is refused: `UNSUPPORTED`.
   */
  command?: { resume?: unknown; update?: unknown; goto?: unknown } | undefined
  /** Where to go on from: how a message is edited. */
  checkpoint?: { checkpoint_id?: string | undefined } | null | undefined
  config?:
    | {
        tags?: readonly string[] | undefined
        metadata?: Readonly<Record<string, unknown>> | undefined
        recursion_limit?: number | undefined
        configurable?: Readonly<Record<string, unknown>> | undefined
      }
    | undefined
  /** What nodes read as `ctx.context`; without it `config.configurable`. */
  context?: unknown
  metadata?: Readonly<Record<string, unknown>> | undefined
  multitaskStrategy?: Multitask | undefined
  /** Modes to record beyond what always is. */
  streamMode?: readonly string[] | string | undefined
  /** Shown over the state until the run says what it is. */
  optimisticValues?:
    | Readonly<Record<string, unknown>>
    | ((before: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>)
    | undefined
}

/** Modes that are recorded only when a run asks for them; the others always are. */
const RECORDED_ON_REQUEST: readonly string[] = ['updates', 'tasks', 'checkpoints', 'debug'] satisfies StreamMode[]

/** A legacy submit in our words. Throws `UNSUPPORTED` for a `Send` in `command.goto`. */
export function fromLegacySubmit(
  values: unknown,
  messagesKey: string,
  options: LegacySubmitOptions = {},
): { input: Readonly<Record<string, unknown>> | undefined; options: SubmitOptions } {
  const { command, checkpoint, config, context = config?.configurable, multitaskStrategy, streamMode } = options
  const asked = typeof streamMode === 'string' ? [streamMode] : streamMode
  return {
    input: inputOf(values ?? command?.update, messagesKey),
    options: {
      resume: command?.resume,
      goto: command?.goto === undefined ? undefined : nodesOf(command.goto),
      checkpointId: checkpoint?.checkpoint_id,
      multitask: multitaskStrategy,
      // Checked to be some of ours.
      ...(asked && { modes: asked.filter((mode) => RECORDED_ON_REQUEST.includes(mode)) as StreamMode[] }),
      metadata: options.metadata ?? config?.metadata,
      tags: config?.tags,
      context,
      recursionLimit: config?.recursion_limit,
    },
  }
}

function nodesOf(goto: unknown): readonly string[] {
  const nodes: readonly unknown[] = Array.isArray(goto) ? goto : [goto]
  return nodes.map((node) => {
    if (typeof node === 'string') return node
    throw new RivuletError('UNSUPPORTED', 'a client sends a run to nodes by name: let a node return `Send`')
  })
}

function inputOf(values: unknown, messagesKey: string): Readonly<Record<string, unknown>> | undefined {
  if (typeof values !== 'object' || values === null) return undefined
  // Input of a graph is an object of state keys.
  const input = values as Readonly<Record<string, unknown>>
  const messages = input[messagesKey]
  if (messages === undefined) return input
  return {
    ...input,
    [messagesKey]: Array.isArray(messages) ? messages.map(fromLegacyMessage) : fromLegacyMessage(messages),
  }
}
