import type { Message, MessageInput } from '@rivulet/protocol'
import { Command } from '../graph/command.ts'
import type { Target } from '../graph/plan.ts'
import { shownUpdate } from '../state/schema.ts'

/** What a call's command does, as data: it is kept while a person is asked. */
export interface CallCommand {
  readonly update: unknown
  readonly goto: readonly Target[]
  /** It is meant for the graph above. */
  readonly toParent: boolean
}

/** What became of one call, for the state. */
export interface CallEffect {
  readonly answer: MessageInput
  readonly command?: CallCommand
}

type Update = Readonly<Record<string, unknown>>

/**
 * What a node returns for calls that were made side by side: their answers in the order of the calls, what their commands
 * update, and where they go. Updates are joined while no key is written twice and follow one another where one is, so
 * that a reducer sees every write. `rewritten` is the message that asks, where something of it had to change.
 */
export function updatesOf(
  effects: readonly CallEffect[],
  messagesKey: string,
  rewritten: Message | undefined,
): Update | readonly (Update | Command<string>)[] {
  const told = rewritten === undefined ? [] : [{ [messagesKey]: [rewritten] }]
  const updates = joined([...told, ...effects.flatMap((effect) => updatesOfCall(effect, messagesKey))], messagesKey)
  const goto = effects.flatMap(({ command }) => command?.goto ?? [])
  if (goto.length > 0) return [...updates, new Command<string>({ goto })]
  return updates.length === 1 ? updates[0]! : updates
}

/**
 * The one command for the graph above, when calls hand over to it; what else this turn did in the graph that is left is
 * left with it. A conversation that is handed over is whole: with the message that asks, and with every call's answer.
 */
export function handoffOf(
  effects: readonly CallEffect[],
  messagesKey: string,
  asking: Message,
): Command<string> | undefined {
  const commands = effects.flatMap(({ command }) => (command?.toParent ? [command] : []))
  if (commands.length === 0) return undefined
  const given = commands.flatMap(({ update }) => listOfUpdates(update))
  const said = given.flatMap((update) => messagesIn(update, messagesKey))
  const whole = said.length === 0 ? given : joined(completed(given, said, effects, messagesKey, asking), messagesKey)
  const goto = commands.flatMap((command) => command.goto)
  const update = whole.length === 1 ? whole[0]! : whole
  return new Command<string>({ graph: Command.PARENT, goto, ...(whole.length > 0 && { update }) })
}

function completed(
  given: readonly Update[],
  said: readonly unknown[],
  effects: readonly CallEffect[],
  messagesKey: string,
  asking: Message,
): readonly Update[] {
  const hasAsking = said.some((message) => (message as Partial<Message> | null)?.id === asking.id)
  const missing = effects.flatMap(({ answer }) => (isAnswered(answer, said) ? [] : [{ [messagesKey]: [answer] }]))
  return [...(hasAsking ? [] : [{ [messagesKey]: [asking] }]), ...given, ...missing]
}

/** A call's own updates, and its answer unless they have it. */
function updatesOfCall({ answer, command }: CallEffect, messagesKey: string): readonly Update[] {
  const given = listOfUpdates(command?.update)
  const said = given.flatMap((update) => messagesIn(update, messagesKey))
  return isAnswered(answer, said) ? given : [...given, { [messagesKey]: [answer] }]
}

function isAnswered({ toolCallId }: MessageInput, said: readonly unknown[]): boolean {
  return said.some((message) => answeredCall(message) === toolCallId)
}

/** Id of the call that a message of ours or LangChain's answers. */
export function answeredCall(message: unknown): unknown {
  if (typeof message !== 'object' || message === null) return undefined
  const { toolCallId, tool_call_id: theirs } = message as { toolCallId?: unknown; tool_call_id?: unknown }
  return toolCallId ?? theirs
}

/** The updates of a command, which has one or a list; what is no update is left for the runtime to refuse. */
export function listOfUpdates(update: unknown): readonly Update[] {
  if (update === undefined || update === null) return []
  return (Array.isArray(update) ? update : [update]) as readonly Update[]
}

/** What an update writes to the message list. */
export function messagesIn(update: Update, messagesKey: string): readonly unknown[] {
  const written = shownUpdate(update)[messagesKey]
  if (written === undefined) return []
  return Array.isArray(written) ? written : [written]
}

function joined(updates: readonly Update[], messagesKey: string): readonly Update[] {
  const pieces: Record<string, unknown>[] = []
  for (const update of updates) {
    const last = pieces.at(-1)
    const fits = (key: string) =>
      !Object.hasOwn(last!, key) || (key === messagesKey && areLists(last![key], update[key]))
    if (last === undefined || !Object.keys(update).every(fits)) pieces.push({ ...update })
    else {
      const messages = Object.hasOwn(last, messagesKey) ? messagesIn(last, messagesKey) : []
      Object.assign(last, update)
      if (messages.length > 0) last[messagesKey] = [...messages, ...messagesIn(update, messagesKey)]
    }
  }
  return pieces
}

function areLists(a: unknown, b: unknown): boolean {
  return Array.isArray(a) && Array.isArray(b)
}
