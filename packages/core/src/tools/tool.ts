import { normalizeMessage, RivuletError, ROOT } from '@rivulet/protocol/model'
import { Command, type CommandOptions } from '../graph/command.ts'
import type { NodeContext } from '../graph/node-context.ts'
import type { ToolSpec } from '../models/chunk.ts'
import { timeLimit } from '../models/time-limit.ts'
import { runWithContext } from '../runtime/async-context.ts'
import { randomId } from '../runtime/ids.ts'
import { currentContext, TaskContext } from '../runtime/task-context.ts'
import { describeIssues, jsonSchemaOf, type StandardSchema } from '../state/standard-schema.ts'

/** What a tool is given beside its arguments: its node's context, with writes, questions and a signal that belong to the call. */
export type ToolContext = NodeContext

/** What a tool is called and how it is described to a model. */
export interface ToolOptions<Input, Args> {
  name: string
  description: string
  /** Checks and converts the arguments before the tool runs, at once or later. Default: any object. */
  schema?: StandardSchema<Input, Args>
  /**
   * JSON Schema of the arguments for the model. Default: what the schema says of itself (zod and arktype can); a schema
   * that cannot needs it here, or the model is told no parameters.
   */
  jsonSchema?: unknown
  /** Longest time in ms; then the call's signal fires and it ends with `NODE_TIMEOUT`. `Infinity`: none. Default: the tool node's. */
  timeoutMs?: number
}

/** Something a model may call. */
export interface Tool<Args = unknown, Output = unknown> extends ToolSpec {
  /** Checks the arguments and runs. Throws `INVALID_INPUT` when they do not fit; else what the tool throws, untouched. */
  invoke(args: unknown, ctx?: NodeContext): Promise<Output>
  /** Checks and converts arguments without running. Throws `INVALID_INPUT` when they do not fit. */
  check(args: unknown): Promise<Args>
  readonly timeoutMs: number | undefined
}

/** What a tool's function may return: a value, a promise of one, or a stream of progress that returns the value. */
export type ToolResult<Output> = Output | Promise<Output> | AsyncGenerator<unknown, Output, undefined>

/**
 * Makes a tool of a function. In a graph its writes and progress carry the id of the call; called by itself they go
 * nowhere. An async generator's yields are progress, its return value is the output.
 *
 * The output may be text or JSON, which the model reads; a message with the role `tool` or a list of parts (text, images,
 * files), which it is answered with; or a `Command`, which also updates the graph's state and says where to go next.
 * Throws `INVALID_GRAPH` when `timeoutMs` is no time.
 */
export function tool<Args = Record<string, unknown>, Output = unknown, Input = Args>(
  run: (args: Args, ctx: ToolContext) => ToolResult<Output>,
  options: ToolOptions<Input, Args>,
): Tool<Args, Output> {
  const { name, description, schema, timeoutMs } = options
  timeLimit(timeoutMs, `the timeout of tool "${name}"`)
  let { jsonSchema } = options
  const check = (args: unknown) => checkArguments<Args>(name, args, schema)
  return {
    name,
    description,
    schema,
    get jsonSchema() {
      return (jsonSchema ??= jsonSchemaOf(schema))
    },
    timeoutMs,
    check,
    invoke: async (args, ctx = currentContext()) => {
      const checked = await check(args)
      const context: ToolContext = ctx ?? detachedContext()
      // A generator's body runs in the context of whoever asks it for more, so all of it is inside.
      const work = async () => finish<Output>(await run(checked, context), context)
      return ctx === undefined ? work() : runWithContext(ctx, work)
    },
  }
}

async function checkArguments<Args>(
  name: string,
  args: unknown,
  schema: StandardSchema<unknown, Args> | undefined,
): Promise<Args> {
  // Without a schema the tool takes whatever object the model wrote.
  if (schema === undefined) return args as Args
  const result = await schema['~standard'].validate(args)
  if (result.issues === undefined) return result.value
  throw new RivuletError(
    'INVALID_INPUT',
    `the arguments of tool "${name}" are not valid: ${describeIssues(result.issues)}`,
  )
}

/** Drains a generator tool: yields are progress, the return value is the output. Waits for a reader that is behind. */
async function finish<Output>(
  returned: Output | AsyncGenerator<unknown, Output, undefined>,
  ctx: ToolContext,
): Promise<Output> {
  if (!isGenerator(returned)) return returned
  try {
    for (;;) {
      const { value, done } = await returned.next()
      if (done) return value
      ctx.writer(value, 'progress')
      if (ctx instanceof TaskContext) await TaskContext.attemptOf(ctx).graph.scope.waitForRoom()
    }
  } catch (thrown) {
    // Its time was up or the run was stopped: it must not stay suspended with what it holds open.
    await returned.return(undefined as Output)
    throw thrown
  }
}

function isGenerator<Output>(
  returned: Output | AsyncGenerator<unknown, Output, undefined>,
): returned is AsyncGenerator<unknown, Output, undefined> {
  return typeof returned === 'object' && returned !== null && Symbol.asyncIterator in returned && 'next' in returned
}

/** The context of a tool that runs outside of a graph: it writes to nobody. */
function detachedContext(): ToolContext {
  return {
    writer: () => {},
    progress: () => {},
    node: '',
    step: 0,
    stepsLeft: Infinity,
    task: '',
    attempt: 1,
    namespace: ROOT,
    signal: new AbortController().signal,
    state: undefined,
    context: undefined,
    toolCallId: undefined,
    runId: '',
    threadId: undefined,
    metadata: {},
    tags: [],
    // The same options make the same command, whatever they are typed as.
    command: <G extends string>(options: CommandOptions<G, unknown, never>) =>
      new Command<G, object>(options as CommandOptions<G, object, never>),
    pushMessage: (message) => normalizeMessage(message, randomId).id,
    run: () => Promise.reject(outside('run a graph with ctx.run')),
    interrupt: () => {
      throw outside('ask a person')
    },
  }
}

function outside(what: string): RivuletError {
  return new RivuletError('NO_CONTEXT', `a tool can ${what} only inside a running graph`)
}
