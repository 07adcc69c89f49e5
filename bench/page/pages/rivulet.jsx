import { useMessage, useMessageIds, useStream } from '@rivulet/react'
import { memo, useEffect } from 'react'
import { count, counts, show } from './harness.jsx'

const Row = memo(function Row({ handle, id }) {
  const message = useMessage(handle, id)
  count(id)
  return <li id={id}>{message?.content}</li>
})

const List = memo(function List({ handle }) {
  counts.list++
  return useMessageIds(handle).map((id) => <Row key={id} handle={handle} id={id} />)
})

show(function App({ onReady }) {
  const { handle, submit } = useStream({ url: `${location.origin}/rivulet`, graph: 'agent', threadId: 't' })
  useEffect(() => onReady(() => submit({ messages: 'go' })), [submit, onReady])
  return (
    <ul>
      <List handle={handle} />
    </ul>
  )
})
