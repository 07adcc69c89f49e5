import { RivuletError, type Message, type TypedGraph } from '@rivulet/protocol/model'
import type { Checkpointer } from '../checkpoint/checkpointer.ts'
import { END, START } from '../graph/command.ts'
import type { Graph } from '../graph/compiled.ts'
import type { NodeContext } from '../graph/node-context.ts'
import { StateGraph } from '../graph/state-graph.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { value } from '../state/field.ts'
import { messages } from '../state/messages.ts'
import type { MessageListUpdate } from '../state/message-list.ts'
import { state, type InputOf, type StateSchema, type UpdateOf, type ValueOf } from '../state/schema.ts'
import type { StandardSchema } from '../state/standard-schema.ts'
import type { ApprovalAnswer, ApprovalRequest, InterruptOn } from '../tools/approval.ts'
import { openTurn } from '../tools/open-calls.ts'
import { toolNode, type ToolNodeOptions } from '../tools/tool-node.ts'
import type { Tool } from '../tools/tool.ts'
import { modelNode, type AskOptions } from './model-node.ts'
import type { Prompt } from './prompt.ts'
import { finalFormat, type ResponseFormat } from './response-format.ts'

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
  /** Graphs that its tools run, such as other agents: their states are then read and changed with its own. */
  subgraphs?: readonly (Graph & TypedGraph)[]
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
 * Throws `INVALID_GRAPH` when two tools share a name, or a part of it is not what it should be. A run fails with `PROVIDER_FAILED` when the final answer still does
 * not fit `responseFormat` after the model was told once what is wrong with it.
 */
export function createAgent<S extends StateSchema = NoState, R = never>(
  options: AgentOptions<S, R, undefined>,
): Graph<AgentTypes<S, R, undefined>>
// Apart from the other: a type that is inferred of `interruptOn` itself would leave its functions without theirs.
export function createAgent<S extends StateSchema = NoState, R = never>(
  options: AgentOptions<S, R, InterruptOn | undefined>,
): Graph<AgentTypes<S, R, InterruptOn>>
export function createAgent<S extends StateSchema, R>(
  options: AgentOptions<S, R, InterruptOn | undefined>,
): Graph<AgentTypes<S, R, InterruptOn>> {
  assertModel(options.model)
  const { tools = [], subgraphs = [], responseFormat, interruptOn, toolOptions, checkpointer, name = 'agent' } = options
  const format = responseFormat === undefined ? undefined : finalFormat(responseFormat, tools)
  const schema = state({
    ...(options.state ?? state({})).fields,
    messages: messages(),
    ...(format && { structuredResponse: value() }),
  })
  // The node reads `messages`, which every agent's state has; what else the options' functions read, the state has too.
  const model = modelNode(options as unknown as AskOptions, tools, format)
  const graph = new StateGraph(schema)
    .addNode('model', model)
    .addNode('tools', toolNode(tools, { ...toolOptions, ...(interruptOn && { interruptOn }) }), { subgraphs })
    .addEdge(START, 'model')
    .addConditionalEdges('model', ({ messages }) => (openTurn(messages)?.calls.length ? 'tools' : END), ['tools', END])
    .addEdge('tools', 'model')
    .compile({ name, ...(checkpointer && { checkpointer }) })
  // Its fields are those that the options' types were inferred from, and `messages`.
  return graph as unknown as Graph<AgentTypes<S, R, InterruptOn>>
}

/** Callers without types pass a model's name, or nothing: better told here than in the middle of a run. */
function assertModel(model: unknown): void {
  if (typeof model === 'function' || typeof (Object(model) as Partial<ChatModel>).invoke === 'function') return
  const given =
    typeof model === 'string' ? `the text ${JSON.stringify(model)}: make one of it with initChatModel()` : String(model)
  throw new RivuletError('INVALID_GRAPH', `createAgent needs a model, or a function that chooses one; it got ${given}`)
}
