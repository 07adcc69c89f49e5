// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { createRef } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import type { Attachment } from '../csv/use-attachment.ts'
import { Composer, type ComposerProps } from './composer.tsx'

afterEach(() => {
  cleanup()
  sessionStorage.clear()
})

const attachment = (more: Partial<Attachment> = {}): Attachment => ({
  file: undefined,
  problem: undefined,
  take: vi.fn<Attachment['take']>(),
  refuse: vi.fn<Attachment['refuse']>(),
  clear: vi.fn<Attachment['clear']>(),
  ...more,
})

function show(more: Pick<Partial<ComposerProps>, 'isBusy' | 'attachment'> = {}) {
  const props = {
    isBusy: false,
    attachment: attachment(),
    field: createRef<HTMLTextAreaElement>(),
    onSend: vi.fn<ComposerProps['onSend']>(),
    onStop: vi.fn<ComposerProps['onStop']>(),
    ...more,
  }
  render(<Composer {...props} />)
  return {
    ...props,
    field: screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Message' }),
    user: userEvent.setup(),
  }
}

test('Enter sends what was typed and empties the field, which keeps the focus', async () => {
  const { user, field, onSend } = show()
  await user.type(field, '  hello {Enter}')
  expect(onSend.mock.calls).toEqual([['hello']])
  expect(field.value).toBe('')
  expect(document.activeElement).toBe(field)
})

test('what was typed is there after a reload, and what was sent is not', async () => {
  const first = show()
  await first.user.type(first.field, 'half a question')
  cleanup()
  const second = show()
  expect(second.field.value).toBe('half a question')
  await second.user.type(second.field, '{Enter}')
  cleanup()
  expect(show().field.value).toBe('')
})

test('Shift and Enter begin a line', async () => {
  const { user, field, onSend } = show()
  await user.type(field, 'a{Shift>}{Enter}{/Shift}b')
  expect(field.value).toBe('a\nb')
  expect(onSend).not.toHaveBeenCalled()
})

test('Enter that ends the composition of a character does not send', async () => {
  const { user, field, onSend } = show()
  await user.type(field, 'に')
  fireEvent.keyDown(field, { key: 'Enter', isComposing: true })
  expect(onSend).not.toHaveBeenCalled()
})

test('nothing is sent while there is nothing to send', async () => {
  const { user, field, onSend } = show()
  await user.type(field, '   {Enter}')
  expect(onSend).not.toHaveBeenCalled()
  expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Send' }).disabled).toBe(true)
})

test('a file can be sent without words', async () => {
  const { user, field, onSend } = show({ attachment: attachment({ file: { name: 'a.csv', text: 'a,b' } }) })
  await user.type(field, '{Enter}')
  expect(onSend.mock.calls).toEqual([['']])
})

test('while an answer is under way one can type and stop, but not send', async () => {
  const { user, field, onSend, onStop } = show({ isBusy: true })
  await user.type(field, 'next{Enter}')
  expect(onSend).not.toHaveBeenCalled()
  expect(field.value).toBe('next')
  expect(screen.queryByRole('button', { name: 'Send' })).toBeNull()
  await user.click(screen.getByRole('button', { name: 'Stop' }))
  expect(onStop).toHaveBeenCalledOnce()
})

test('the chip of a file shows its name and size, and its button takes it away', async () => {
  const file = { name: 'a.csv', text: 'x'.repeat(1500) }
  const { user, attachment: given, field } = show({ attachment: attachment({ file }) })
  expect(screen.getByText('a.csv')).toBeDefined()
  expect(screen.getByText('2 kB')).toBeDefined()
  await user.click(screen.getByRole('button', { name: 'Remove a.csv' }))
  expect(given.clear).toHaveBeenCalledOnce()
  expect(document.activeElement).toBe(field)
})

test('picked files are taken, the same one twice in a row too', async () => {
  const { user, attachment: given } = show()
  const input = document.querySelector<HTMLInputElement>('input[type=file]')!
  const file = new File(['a'], 'a.csv', { type: 'text/csv' })
  await user.upload(input, file)
  await user.upload(input, file)
  expect(given.take).toHaveBeenCalledTimes(2)
})

test('why a file was refused is said at once', () => {
  show({ attachment: attachment({ problem: '“x.png” is not a CSV file.' }) })
  expect(screen.getByRole('alert').textContent).toBe('“x.png” is not a CSV file.')
})
