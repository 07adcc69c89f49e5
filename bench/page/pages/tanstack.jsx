import { fetchServerSentEvents, useChat } from '@tanstack/ai-react'
import { useEffect } from 'react'
import { counts, Row, show, textOf } from './harness.jsx'

const connection = fetchServerSentEvents('/tanstack')
const old = (await (await fetch('/old')).json()).map(({ id, role, text }) => ({
  id,
  role,
  parts: [{ type: 'text', content: text }],
}))

function List({ messages }) {
  counts.list++
  return messages.map((message) => <Row key={message.id} id={message.id} text={textOf(message)} />)
}

show(function App({ onReady }) {
  const { messages, sendMessage } = useChat({ id: 't', connection, initialMessages: old })
  useEffect(() => onReady(() => void sendMessage('go')), [sendMessage, onReady])
  return (
    <ul>
      <List messages={messages} />
    </ul>
  )
})
