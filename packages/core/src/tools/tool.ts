import { messageOfThrown, RivuletError, toJson, toRivuletError, type WireError } from '@rivulet/protocol'
import type { NodeContext } from '../graph/node-context.ts'
import type { ToolSpec } from '../models/chunk.ts'
import { InterruptSignal } from '../runtime/attempt.ts'
import { runWithContext } from '../runtime/async-context.ts'
import { randomId } from '../runtime/ids.ts'
import { currentContext, TaskContext } from '../runtime/task-context.ts'
import { describeIssues, type StandardSchema } from '../state/standard-schema.ts'

/** What a tool is given beside its arguments: a node's context whose writes belong to the call. */
export type ToolContext = Pick<
  NodeContext,
  | 'writer'
  | 'progress'
  | 'signal'
  | 'state'
  | 'context'
  | 'toolCallId'
  | 'interrupt'
  | 'runId'
  | 'threadId'
  | 'metadata'
>

/** What a tool is called and how it is described to a model. */
export interface ToolOptions<Input, Args> {
  name: string
  description: string
  /** Checks and converts the arguments before the tool runs. Default: any object. */
  schema?: StandardSchema<Input, Args>
  /** JSON Schema of the arguments for the model, where the schema itself cannot say. */
  jsonSchema?: unknown
  /** Longest time in ms; then the call's signal fires and it ends with `NODE_TIMEOUT`. Default: none. */
  timeoutMs?: number
}

/** Something a model may call. */
export interface Tool<Args = unknown, Output = unknown> extends ToolSpec {
  /** Checks the arguments and runs. Throws `INVALID_INPUT` when they do not fit; else what the tool throws, untouched. */
  invoke(args: unknown, ctx?: NodeContext): Promise<Output>
  readonly timeoutMs: number | undefined
  readonly '~args'?: Args
}

/** What a tool's function may return: a value, a promise of one, or a stream of progress that returns the value. */
export type ToolResult<Output> = Output | Promise<Output> | AsyncGenerator<unknown, Output, undefined>

/**
 * Makes a tool of a function. In a graph its writes and progress carry the id of the call; called by itself they go
 * nowhere. An async generator's yields are progress, its return value is the output.
 */
export function tool<Args = Record<string, unknown>, Output = unknown, Input = Args>(
  run: (args: Args, ctx: ToolContext) => ToolResult<Output>,
  options: ToolOptions<Input, Args>,
): Tool<Args, Output> {
  const { name, description, schema, jsonSchema, timeoutMs } = options
  return {
    name,
    description,
    schema: schema,
    jsonSchema,
    timeoutMs,
    invoke: async (args, ctx = currentContext()) => {
      const checked = await checkArguments<Args>(name, args, schema)
      const context: ToolContext = ctx ?? detachedContext()
      const start = () => run(checked, context)
      return finish<Output>(await (ctx === undefined ? start() : runWithContext(ctx, start)), context)
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

/** Drains a generator tool: yields are progress, the return value is the output. */
async function finish<Output>(
  returned: Output | AsyncGenerator<unknown, Output, undefined>,
  ctx: ToolContext,
): Promise<Output> {
  if (typeof returned !== 'object' || returned === null || !(Symbol.asyncIterator in returned)) return returned
  try {
    for (;;) {
      const { value, done } = await returned.next()
      if (done) return value
      ctx.writer(value, 'progress')
    }
  } catch (thrown) {
    // Its time was up or the run was stopped: it must not stay suspended with what it holds open.
    await returned.return(undefined as Output)
    throw thrown
  }
}

/** The context of a tool that runs outside of a graph: it writes to nobody. */
function detachedContext(): ToolContext {
  return {
    writer: () => {},
    progress: () => {},
    signal: new AbortController().signal,
    state: undefined,
    context: undefined,
    toolCallId: undefined,
    runId: '',
    threadId: undefined,
    metadata: {},
    interrupt: () => {
      throw new RivuletError('NO_CONTEXT', 'a tool can ask a person only inside a running graph')
    },
  }
}

/** A call as a model wrote it. */
export interface CallRequest {
  readonly id: string
  readonly name: string
  /** JSON text. */
  readonly args: string
}

/** How a call ended. */
export type CallResult = { readonly output: unknown } | { readonly error: WireError; readonly thrown: unknown }

/** Runs one call inside a node: exactly one `tool.start` and one `tool.end`, whatever happens. Rejects only to ask a person. */
export async function runCall(
  tools: ReadonlyMap<string, Tool>,
  call: CallRequest,
  ctx: NodeContext,
): Promise<CallResult> {
  if (!(ctx instanceof TaskContext))
    throw new RivuletError('NO_CONTEXT', 'tools run with the ctx that their node was given')
  const attempt = TaskContext.attemptOf(ctx)
  const id = call.id === '' ? randomId() : call.id
  const input = parsed(call.args)
  const { sink } = attempt.graph.scope
  const tells = attempt.wants.tools
  if (tells)
    sink.emit({
      type: 'tool.start',
      ...attempt.envelope(),
      id,
      name: call.name,
      // A copy: the tool may change what it is given.
      input: 'value' in input ? toJson(input.value) : call.args,
    })
  const deadline = new AbortController()
  const scope = { callId: id, signal: AbortSignal.any([attempt.signal, deadline.signal]), ended: false }
  const timer = startTimer(tools.get(call.name), deadline)
  const end = (result: CallResult): CallResult => {
    clearTimeout(timer)
    if (!scope.ended && tells) {
      const outcome = 'error' in result ? { error: result.error } : { output: result.output }
      sink.emit({ type: 'tool.end', ...attempt.envelope(), id, name: call.name, ...outcome })
    }
    scope.ended = true
    return result
  }
  const off = attempt.onClose((reason) => end(failed(reason)))
  try {
    if ('error' in input) return end(input)
    const running = start(tools, call.name, input.value, new TaskContext(attempt, scope))
    return end({ output: toJson(await untilFired(deadline.signal, running)) })
  } catch (thrown) {
    if (thrown instanceof InterruptSignal) throw thrown
    return end(failed(thrown))
  } finally {
    clearTimeout(timer)
    off()
  }
}

function parsed(args: string): { value: unknown } | { error: WireError; thrown: unknown } {
  if (args.trim() === '') return { value: {} }
  try {
    return { value: JSON.parse(args) as unknown }
  } catch (thrown) {
    return failed(
      new RivuletError('INVALID_INPUT', `the arguments are no JSON: ${messageOfThrown(thrown)}`, { cause: thrown }),
    )
  }
}

function start(tools: ReadonlyMap<string, Tool>, name: string, args: unknown, ctx: NodeContext): Promise<unknown> {
  const known = tools.get(name)
  if (known !== undefined) return known.invoke(args, ctx)
  throw new RivuletError('NOT_FOUND', `there is no tool "${name}"; there are: ${[...tools.keys()].join(', ')}`)
}

function startTimer(known: Tool | undefined, deadline: AbortController): ReturnType<typeof setTimeout> | undefined {
  if (known?.timeoutMs === undefined) return undefined
  const { name, timeoutMs } = known
  const expire = () =>
    deadline.abort(new RivuletError('NODE_TIMEOUT', `tool "${name}" ran longer than ${timeoutMs} ms`))
  return setTimeout(expire, timeoutMs)
}

/** What a tool answers, or the reason of its deadline: a tool that ignores its signal holds up nobody. */
function untilFired<T>(deadline: AbortSignal, running: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    deadline.addEventListener('abort', () => reject(deadline.reason as RivuletError), { once: true })
    running.then(resolve, reject)
  })
}

function failed(thrown: unknown): { error: WireError; thrown: unknown } {
  return { error: toRivuletError(thrown, 'NODE_FAILED').toJSON(), thrown }
}
