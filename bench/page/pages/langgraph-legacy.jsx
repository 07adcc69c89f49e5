import { useStream } from '@langchain/langgraph-sdk/react'
import { useEffect } from 'react'
import { counts, Row, show, textOf } from './harness.jsx'

function List({ messages }) {
  counts.list++
  return messages.map((message) => <Row key={message.id} id={message.id} text={textOf(message)} />)
}

show(function App({ onReady }) {
  const { messages, submit } = useStream({
    apiUrl: `${location.origin}/langgraph`,
    assistantId: 'agent',
    threadId: 't',
  })
  useEffect(() => onReady(() => void submit({ messages: [{ type: 'human', id: 'question', content: 'go' }] })))
  return (
    <ul>
      <List messages={messages} />
    </ul>
  )
})
