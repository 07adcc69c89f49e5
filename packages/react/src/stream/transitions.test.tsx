// @vitest-environment jsdom
import { createClient } from '@rivulet/client'
import type { Frame, RunEvent } from '@rivulet/protocol'
import { memo, startTransition, useEffect, useState, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { answerBegins, runBegins, token } from '../../test/conversation.ts'
import { useMessage } from '../selectors/use-messages.ts'
import type { StreamHandle } from './stream.ts'
import { useStream } from './use-stream.ts'

// No `act` here: it would render everything at once, and these tests are about what React puts off.
beforeEach(() => vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', false))
afterEach(() => vi.unstubAllGlobals())

const PARTS = 30

/** One turn of the event loop, in which React's scheduler works for one slice. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve))
}

test.each(['a row that reads a message', 'a page that reads messages'])(
  'a transition ends while text streams into %s',
  async (what) => {
    let send: (frame: Frame) => void = () => {}
    let seq = 0
    const emit = (...events: RunEvent[]) =>
      send({ type: 'events', log: 'log', events: events.map((event) => ({ ...event, seq: ++seq })) })
    const client = createClient({
      transport: {
        heartbeatMs: Infinity,
        async *open(_request, { signal }) {
          while (!signal.aborted) yield await new Promise<Frame>((resolve) => (send = resolve))
        },
      },
    })
    let liveRenders = 0
    const shown = { tab: 0 }
    let showTab: (tab: number) => void = () => {}
    const Part = memo(function Part({ tab }: { tab: number }): ReactNode {
      // Longer than a slice of React's scheduler, so that it lets go of the page after each part.
      const end = performance.now() + 6
      while (performance.now() < end);
      return <i>{tab}</i>
    })
    const Row = memo(function Row({ handle }: { handle: StreamHandle }): ReactNode {
      liveRenders++
      return useMessage(handle, 'a')?.content
    })
    function Live(): ReactNode {
      const { messages } = useStream({ client, graph: 'g', threadId: 't', throttle: 0 })
      liveRenders++
      return messages.at(-1)?.content
    }
    function Page(): ReactNode {
      const { handle } = useStream({ client, graph: 'g', threadId: 't', throttle: 0 })
      const [tab, setTab] = useState(0)
      showTab = setTab
      useEffect(() => {
        shown.tab = tab
      }, [tab])
      return (
        <>
          {what.startsWith('a row') ? <Row handle={handle} /> : <Live />}
          {Array.from({ length: PARTS }, (_, i) => (
            <Part key={i} tab={tab} />
          ))}
        </>
      )
    }
    const root = createRoot(document.createElement('div'))
    root.render(<Page />)
    for (let i = 0; i < 20; i++) await turn()
    emit(...runBegins('r'), ...answerBegins('r', 'a'))
    await turn()
    startTransition(() => showTab(1))
    // One slice each: a transition that text interrupts begins anew with every token and is still at it afterwards.
    let tokens = 0
    for (; shown.tab === 0 && tokens < PARTS * 3; tokens++) {
      emit(token('r', 'a', tokens, 'x'))
      await turn()
    }
    expect(shown.tab).toBe(1)
    // The text went on all the while, or was let in as soon as the transition was done.
    emit(token('r', 'a', tokens, 'x'))
    for (let i = 0; i < 5; i++) await turn()
    expect(liveRenders).toBeGreaterThan(1)
    root.unmount()
    await turn()
  },
)
