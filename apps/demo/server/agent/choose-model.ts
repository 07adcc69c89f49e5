import { setTimeout as wait } from 'node:timers/promises'
import { fromAsyncIterable, type ChatModel } from '@rivulet/core'
import type { AgentLabel } from '../../contract/agent-label.ts'
import { openAiModel } from '../openai/openai-model.ts'
import { speakByRules, type SpeakOptions } from '../rules/speak.ts'

/** The environment variables that choose the model. */
export interface ModelEnvironment {
  OPENAI_API_KEY?: string | undefined
  OPENAI_BASE_URL?: string | undefined
  OPENAI_MODEL?: string | undefined
}

/** A model with what the page says about it. */
export interface ChosenModel {
  model: ChatModel
  label: AgentLabel
}

const DEFAULT_MODEL = 'gpt-4o-mini'

/** OpenAI's model when there is a key, else the rule-based one, which needs neither key nor network. */
export function chooseModel(env: ModelEnvironment, pause: SpeakOptions['pause'] = pauseInTime): ChosenModel {
  const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: baseURL, OPENAI_MODEL: name = DEFAULT_MODEL } = env
  if (!apiKey) {
    return {
      model: ruleBasedModel(pause),
      label: {
        name: 'Rule-based agent',
        note: 'It matches words in what you type and runs real tools on it: no language model, no network.',
      },
    }
  }
  return {
    model: openAiModel({ apiKey, name, ...(baseURL && { baseURL }) }),
    label: { name, note: `Answers come from ${name} through the OpenAI API.` },
  }
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
