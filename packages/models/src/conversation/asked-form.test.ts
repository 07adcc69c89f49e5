import { describe, expect, test } from 'vitest'
import { aiSdkForm, chatForm, langChainForm, messagesForm, responsesForm, type AskedForm } from './asked-form.ts'

const tools = [{ name: 'add', description: 'adds' }]
const forms = { chatForm, responsesForm, messagesForm, aiSdkForm, langChainForm }

describe('what a call asks of a provider', () => {
  test.each<[AskedForm['toolChoice'], Record<keyof typeof forms, unknown>]>([
    [
      'required',
      {
        chatForm: { tool_choice: 'required' },
        responsesForm: { tool_choice: 'required' },
        messagesForm: { tool_choice: { type: 'any' } },
        aiSdkForm: { toolChoice: { type: 'required' } },
        langChainForm: { tool_choice: 'any' },
      },
    ],
    [
      'none',
      {
        chatForm: { tool_choice: 'none' },
        responsesForm: { tool_choice: 'none' },
        messagesForm: { tool_choice: { type: 'none' } },
        aiSdkForm: { toolChoice: { type: 'none' } },
        langChainForm: { tool_choice: 'none' },
      },
    ],
    [
      { name: 'add' },
      {
        chatForm: { tool_choice: { type: 'function', function: { name: 'add' } } },
        responsesForm: { tool_choice: { type: 'function', name: 'add' } },
        messagesForm: { tool_choice: { type: 'tool', name: 'add' } },
        aiSdkForm: { toolChoice: { type: 'tool', toolName: 'add' } },
        langChainForm: { tool_choice: 'add' },
      },
    ],
  ])('is a choice of tools: %j', (toolChoice, wanted) => {
    for (const [name, form] of Object.entries(forms))
      expect(form({ tools, toolChoice })).toEqual(wanted[name as keyof typeof forms])
  })

  test('is no choice where there are no tools, or none is asked for', () => {
    for (const form of Object.values(forms)) {
      expect(form({ toolChoice: 'required' })).toEqual({})
      expect(form({ tools })).toEqual({})
    }
  })

  test('is a form of the answer, where the provider has a way to say it', () => {
    const schema = { type: 'object', properties: {} }
    const asked = { responseFormat: { name: 'report', jsonSchema: { $schema: 'x', ...schema } } }
    expect(chatForm(asked)).toEqual({
      response_format: { type: 'json_schema', json_schema: { name: 'report', schema } },
    })
    expect(responsesForm(asked)).toEqual({
      text: { format: { type: 'json_schema', name: 'report', schema, strict: false } },
    })
    expect(aiSdkForm(asked)).toEqual({ responseFormat: { type: 'json', name: 'report', schema } })
    expect(messagesForm(asked)).toEqual({ output_config: { format: { type: 'json_schema', schema } } })
    expect(langChainForm(asked)).toEqual({})
  })

  test('is no form where its schema is not known', () => {
    expect(chatForm({ responseFormat: { name: 'report', jsonSchema: undefined } })).toEqual({})
  })
})
