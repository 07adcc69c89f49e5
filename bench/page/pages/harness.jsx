import { memo } from 'react'
import { createRoot } from 'react-dom/client'

/** Renders by component, of the turn that is measured. The driver resets and reads it. */
export const counts = { list: 0, live: 0, old: 0 }
window.counts = counts

/** A row as any chat has it; it renders when its message is another object. */
export const Row = memo(function Row({ id, text }) {
  count(id)
  return <li id={id}>{text}</li>
})

/** Notes that a row rendered. */
export function count(id) {
  if (id.startsWith('old-')) counts.old++
  else counts.live++
}

/** Shows a page; `send` is called when the driver says so. */
export function show(App) {
  createRoot(document.getElementById('root')).render(<App onReady={(send) => void (window.send = send)} />)
}

/** Text of a message in any of the peers' shapes. */
export function textOf(message) {
  if (typeof message.content === 'string') return message.content
  const parts = message.parts ?? message.content ?? []
  return parts.map((part) => part.text ?? part.content ?? '').join('')
}

// The end of the answer is noted in the frame after it is in the document: that is when a person sees it.
new MutationObserver(() => {
  if (window.seenAt !== undefined || !document.querySelector('ul')?.lastElementChild?.textContent.includes('THE-END'))
    return
  window.seenAt = 0
  requestAnimationFrame(() => (window.seenAt = Date.now()))
}).observe(document.body, { subtree: true, childList: true, characterData: true })
