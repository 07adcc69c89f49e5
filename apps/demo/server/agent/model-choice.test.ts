import { expect, test } from 'vitest'
import { chooseModel, labelOf } from './model-choice.ts'

test.each([{}, { OPENAI_API_KEY: '' }, { OPENAI_MODEL: 'x' }])('without a key the rules answer: %j', (env) => {
  expect(chooseModel(env)).toEqual({ kind: 'rules' })
})

test('with a key the default model answers, or the one that is named', () => {
  expect(chooseModel({ OPENAI_API_KEY: 'k' })).toEqual({ kind: 'openai', apiKey: 'k', name: 'gpt-4o-mini' })
  expect(chooseModel({ OPENAI_API_KEY: 'k', OPENAI_MODEL: 'm', OPENAI_BASE_URL: 'http://x/v1' })).toEqual({
    kind: 'openai',
    apiKey: 'k',
    name: 'm',
    baseURL: 'http://x/v1',
  })
})

test('what the page says has no key in it', () => {
  expect(JSON.stringify(labelOf(chooseModel({ OPENAI_API_KEY: 'secret', OPENAI_MODEL: 'm' })))).not.toContain('secret')
  expect(labelOf({ kind: 'rules' }).name).toBe('Rule-based agent')
})
