import { setTimeout as wait } from 'node:timers/promises'
import { fromAsyncIterable, type ChatModel } from '@rivulet/core'
import { speakByRules, type SpeakOptions } from '../rules/speak.ts'
import type { ModelChoice } from './model-choice.ts'

/** The model that was chosen. `pause` sets the pace at which the rule-based one writes; by default real time. */
export async function createModel(choice: ModelChoice, pause: SpeakOptions['pause'] = pauseInTime): Promise<ChatModel> {
  if (choice.kind === 'rules') return ruleBasedModel(pause)
  const { openai } = await import('@rivulet/models')
  const { kind: _, name, ...options } = choice
  return openai(name, options)
}

function ruleBasedModel(pause: SpeakOptions['pause']): ChatModel {
  return fromAsyncIterable(
    (messages, { signal = new AbortController().signal }) =>
      speakByRules(messages, { signal, pause, makeId: () => `call_${crypto.randomUUID()}` }),
    { name: 'rule-based' },
  )
}

function pauseInTime(delayMs: number, signal: AbortSignal): Promise<void> {
  return wait(delayMs, undefined, { signal })
}
