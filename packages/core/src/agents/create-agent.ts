import { RivuletError, type Message, type MessageInput } from '@rivulet/protocol/model'
import type { Checkpointer } from '../checkpoint/checkpointer.ts'
import { END, START } from '../graph/command.ts'
import type { Graph } from '../graph/compiled.ts'
import type { NodeContext } from '../graph/node-context.ts'
import { StateGraph } from '../graph/state-graph.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { TaskContext } from '../runtime/task-context.ts'
import { messages, value } from '../state/field.ts'
import type { MessageListUpdate } from '../state/message-list.ts'
import { state, type InputOf, type StateSchema, type UpdateOf, type ValueOf } from '../state/schema.ts'
import type { StandardSchema } from '../state/standard-schema.ts'
import type { ApprovalAnswer, ApprovalRequest, InterruptOn } from '../tools/approval.ts'
import { asksForTools, openTurn } from '../tools/open-calls.ts'
import { toolNode, type ToolNodeOptions } from '../tools/tool-node.ts'
import type { Tool } from '../tools/tool.ts'
import { promptedWith, type Prompt } from './prompt.ts'
import { askingFor, finalFormat, readFinal, type FinalFormat, type ResponseFormat } from './response-format.ts'

/** How often a model is asked for a final answer that fits. */
const FINAL_TRIES = 2

/** What an agent says in place of calls that there are no steps left for. */
const OUT_OF_STEPS = 'I stop here: this takes more steps than I may take.'

/** What an agent is made of. */
export interface AgentOptions<S, R, I> {
  /** The model, or what chooses one for each step. */
  model: ChatModel | ((state: AgentState<S, R>, ctx: NodeContext) => ChatModel | Promise<ChatModel>)
  /** What the model may call. Default: nothing. */
  tools?: readonly Tool[]
  /** What the model is told before the conversation. */
  prompt?: Prompt<AgentState<S, R>>
  /** State beside `messages`, made by `state({ … })`: tools read it as `ctx.state` and update it by returning a `Command`. */
  state?: S
  /** Tools whose calls wait for a person. Needs a checkpointer. Default: none. */
  interruptOn?: I
  /** The final answer as a value: the state's `structuredResponse`. A Standard Schema, or one with how to ask for it. */
  responseFormat?: StandardSchema<unknown, R> | ResponseFormat<R>
  /** What becomes of tools' errors, and how calls run. */
  toolOptions?: Pick<ToolNodeOptions, 'maxConcurrency' | 'onError' | 'timeoutMs'>
  /**
   * When the model asks for tools and no steps are left to run them and read what they answer (`recursionLimit`).
   * `message` (default): the agent ends by saying so, and an `error` event tells of it. `throw`: the run fails with
   * `RECURSION_LIMIT`.
   */
  onRecursionLimit?: 'message' | 'throw'
  checkpointer?: Checkpointer
  /** Default `"agent"`. */
  name?: string
}

/** State of an agent with these fields of its own and this structured answer. */
export type AgentState<S, R> = Flat<ValueOf<S> & { messages: Message[] } & Structured<R>>

/** The types of an agent's graph. */
export interface AgentTypes<S, R, I> {
  state: AgentState<S, R>
  update: Flat<UpdateOf<S> & { messages?: MessageListUpdate } & Structured<R>>
  input: Flat<InputOf<S> & { messages?: MessageListUpdate }>
  nodes: 'model' | 'tools'
  custom: unknown
  interrupt: I extends InterruptOn ? ApprovalRequest : unknown
  resume: I extends InterruptOn ? ApprovalAnswer : unknown
}

type Flat<T> = { [K in keyof T]: T[K] }
type Structured<R> = [R] extends [never] ? unknown : { structuredResponse?: R }

/** State of its own that an agent has none of. */
export type NoState = StateSchema<unknown, unknown, unknown>

/**
 * A model and its tools in a loop, as a graph: node `model` asks the model, node `tools` runs what it asks for, until it
 * asks for nothing. It streams, checkpoints and resumes as any graph, and can be a node of another one.
 *
 * Throws `INVALID_GRAPH` when two tools share a name. A run fails with `PROVIDER_FAILED` when the final answer still does
 * not fit `responseFormat` after the model was told once what is wrong with it.
 */
export function createAgent<
  S extends StateSchema = NoState,
  R = never,
  const I extends InterruptOn | undefined = undefined,
>(options: AgentOptions<S, R, I>): Graph<AgentTypes<S, R, I>> {
  const { tools = [], responseFormat, interruptOn, toolOptions, checkpointer, name = 'agent' } = options
  const format = responseFormat === undefined ? undefined : finalFormat(responseFormat, tools)
  const schema = state({
    ...(options.state ?? state({})).fields,
    messages: messages(),
    ...(format && { structuredResponse: value() }),
  })
  // The fields are those that the options' types were inferred from.
  const model = modelNode(options as unknown as AnyOptions, tools, format)
  const graph = new StateGraph(schema)
    .addNode('model', model)
    .addNode('tools', toolNode(tools, { ...toolOptions, ...(interruptOn && { interruptOn }) }))
    .addEdge(START, 'model')
    .addConditionalEdges('model', ({ messages }) => (openTurn(messages)?.calls.length ? 'tools' : END), ['tools', END])
    .addEdge('tools', 'model')
    .compile({ name, ...(checkpointer && { checkpointer }) })
  return graph as unknown as Graph<AgentTypes<S, R, I>>
}

/** An agent's state as its own node reads it, whatever else is in it. */
interface AnyState {
  readonly messages: Message[]
}

type AnyOptions = Pick<AgentOptions<StateSchema<AnyState, unknown, unknown>, never, undefined>, 'onRecursionLimit'> & {
  model: ChatModel | ((state: AnyState, ctx: NodeContext) => ChatModel | Promise<ChatModel>)
  prompt?: Prompt<AnyState>
}

interface ModelUpdate {
  messages: readonly [Message, ...MessageInput[]]
  structuredResponse?: unknown
}

type Ask = (conversation: readonly (MessageInput | string)[]) => Promise<Message>

function modelNode(
  { model, prompt, onRecursionLimit = 'message' }: AnyOptions,
  tools: readonly Tool[],
  format: FinalFormat | undefined,
): (state: AnyState, ctx: NodeContext) => Promise<ModelUpdate> {
  const wanted = askingFor(format, tools)
  return async (state, ctx) => {
    const chosen = typeof model === 'function' ? await model(state, ctx) : model
    const ask: Ask = (conversation) => chosen.invoke(conversation, { ...wanted, ctx })
    const conversation = await promptedWith(prompt, state, ctx)
    const update = await (format === undefined
      ? plainAnswer(ask, conversation)
      : finalAnswer(ask, conversation, format))
    const [answer] = update.messages
    // Both the tools and the model that reads their answers need a step.
    if ('structuredResponse' in update || !asksForTools(answer) || ctx.stepsLeft >= 2) return update
    if (onRecursionLimit === 'throw') throw outOfSteps(ctx)
    if (ctx instanceof TaskContext) TaskContext.attemptOf(ctx).tellError('RECURSION_LIMIT', outOfSteps(ctx).message)
    const { toolCalls: _, ...said } = answer
    return {
      messages: [{ ...said, content: said.content === '' ? OUT_OF_STEPS : `${said.content}\n\n${OUT_OF_STEPS}` }],
    }
  }
}

async function plainAnswer(ask: Ask, conversation: Parameters<Ask>[0]): Promise<ModelUpdate> {
  return { messages: [await ask(conversation)] }
}

/** Asks until the answer asks for tools or is what is wanted; what was wrong is told to the model, and kept nowhere. */
async function finalAnswer(ask: Ask, conversation: Parameters<Ask>[0], format: FinalFormat): Promise<ModelUpdate> {
  let asked = conversation
  for (let tries = 1; ; tries++) {
    const answer = await ask(asked)
    const reading = await readFinal(format, answer)
    if (reading.kind === 'calls') return { messages: [answer] }
    if (reading.kind === 'final') return { messages: [answer, ...reading.answers], structuredResponse: reading.value }
    if (tries === FINAL_TRIES) throw notFitting(reading.why)
    asked = [...asked, answer, ...reading.told]
  }
}

function notFitting(why: string): RivuletError {
  const how = `the model's final answer does not fit responseFormat after ${FINAL_TRIES} tries: ${why}`
  return new RivuletError('PROVIDER_FAILED', how, { retryable: true })
}

function outOfSteps({ node, runId }: NodeContext): RivuletError {
  const how =
    'the model asks for tools, and no steps are left to run them and to read their answers; raise recursionLimit'
  return new RivuletError('RECURSION_LIMIT', how, { node, run: runId })
}
