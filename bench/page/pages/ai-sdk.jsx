import { useChat } from '@ai-sdk/react'
import { DefaultChatTransport } from 'ai'
import { useEffect } from 'react'
import { counts, Row, show, textOf } from './harness.jsx'

const transport = new DefaultChatTransport({ api: '/ai-sdk' })
const old = (await (await fetch('/old')).json()).map(({ id, role, text }) => ({
  id,
  role,
  parts: [{ type: 'text', text }],
}))

function List({ messages }) {
  counts.list++
  return messages.map((message) => <Row key={message.id} id={message.id} text={textOf(message)} />)
}

show(function App({ onReady }) {
  const { messages, sendMessage } = useChat({ id: 't', transport, messages: old })
  useEffect(() => onReady(() => void sendMessage({ text: 'go' })), [sendMessage, onReady])
  return (
    <ul>
      <List messages={messages} />
    </ul>
  )
})
