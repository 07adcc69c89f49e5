import { JSDOM } from 'jsdom'

const dom = new JSDOM('<!doctype html><div id="root"></div>', { url: 'http://localhost/' })
// What React and the hooks look for in a page; streams, requests and sockets stay Node's own.
for (const name of ['window', 'document', 'navigator', 'HTMLElement', 'Node', 'sessionStorage', 'localStorage']) {
  Object.defineProperty(globalThis, name, {
    value: name === 'window' ? dom.window : dom.window[name],
    configurable: true,
  })
}
globalThis.IS_REACT_ACT_ENVIRONMENT = false

const { createElement } = await import('react')
const { createRoot } = await import('react-dom/client')

/** A page as a person sees it: what the hook answers, frame by frame. */
const LIMIT_MS = 15_000

/**
 * Renders a hook in a page of its own.
 *
 * @template T
 * @param {() => T} hook
 */
export function renderHook(hook) {
  /** @type {{ current: T }} */
  const shown = /** @type {any} */ ({})
  /** @type {Set<() => void>} */
  const waiting = new Set()
  const root = createRoot(document.createElement('div'))
  const Page = () => {
    shown.current = hook()
    // Whoever waits looks at what has been rendered, once it has been.
    queueMicrotask(() => {
      for (const look of waiting) look()
    })
    return null
  }
  root.render(createElement(Page))
  return {
    get current() {
      return shown.current
    },
    /**
     * Resolves once the page shows it.
     *
     * @param {(now: T) => boolean} isShown
     * @param {string} [what]
     * @returns {Promise<T>}
     */
    until(isShown, what = String(isShown)) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look)
          reject(new Error(`was never shown: ${what}`))
        }, LIMIT_MS)
        const look = () => {
          if (shown.current === undefined || !isShown(shown.current)) return
          clearTimeout(timer)
          waiting.delete(look)
          resolve(shown.current)
        }
        waiting.add(look)
        look()
      })
    },
    close: () => root.unmount(),
  }
}
