import type { ReactNode } from 'react'

/** What stands in the page's place when it cannot be shown. Nothing is lost: chats are with the server. */
export function Broken(): ReactNode {
  return (
    <main className="broken">
      <div className="notice" role="alert">
        <p>This page broke, which is a fault in it. Your chats are kept by the server.</p>
        <button type="button" className="button" onClick={() => location.reload()}>
          Load it again
        </button>
      </div>
    </main>
  )
}
