import { RivuletError, type Message, type MessageInput } from '@rivulet/protocol/model'
import type { NodeContext } from '../graph/node-context.ts'
import type { ChatModel } from '../models/chat-model.ts'
import { TaskContext } from '../runtime/task-context.ts'
import { asksForTools } from '../tools/open-calls.ts'
import type { Tool } from '../tools/tool.ts'
import { promptedWith, type Prompt } from './prompt.ts'
import { askingFor, readFinal, type FinalFormat } from './response-format.ts'

/** How often a model is asked for a final answer that fits. */
const FINAL_TRIES = 2

/** What an agent says in place of calls that there are no steps left for. */
const OUT_OF_STEPS = 'I stop here: this takes more steps than I may take.'

/** An agent's state as its own node reads it, whatever else is in it. */
interface AnyState {
  readonly messages: Message[]
}

/** How an agent's model is asked. */
export interface AskOptions {
  model: ChatModel | ((state: AnyState, ctx: NodeContext) => ChatModel | Promise<ChatModel>)
  prompt?: Prompt<AnyState>
  onRecursionLimit?: 'message' | 'throw'
}

interface ModelUpdate {
  messages: readonly [Message, ...MessageInput[]]
  structuredResponse?: unknown
}

type Ask = (conversation: readonly (MessageInput | string)[]) => Promise<Message>

/**
 * The node that asks the model. With a format, an answer that does not fit is asked for once more; when no steps are left
 * for the calls that the model asks for, the answer says so in their place, or the node throws `RECURSION_LIMIT`.
 */
export function modelNode(
  { model, prompt, onRecursionLimit = 'message' }: AskOptions,
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
    return { messages: [stoppedAt(answer)] }
  }
}

/** The answer without its calls, saying why. */
function stoppedAt(answer: Message): Message {
  const { toolCalls: _, ...said } = answer
  const more = said.content === '' ? OUT_OF_STEPS : `\n\n${OUT_OF_STEPS}`
  const parts = said.parts && [...said.parts, { kind: 'text' as const, text: more }]
  return { ...said, content: said.content + more, ...(parts && { parts }) }
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
