import { OLD } from './conversation.mjs'
import { lastWrite } from './server.mjs'

/**
 * One turn on a page.
 *
 * @typedef {object} Measured
 * @property {number} scriptMs CPU time of scripts on the main thread
 * @property {number} taskMs CPU time of everything on the main thread: scripts, styles, layout, painting
 * @property {number} list renders of the list
 * @property {number} live renders of the rows of the turn
 * @property {number} old renders of the rows before it
 * @property {number} lateMs from when the last token was sent to when it was on screen
 */

/** Longest that a turn may take beyond its tokens, in milliseconds. */
const PATIENCE_MS = 60_000

/**
 * Opens a page in a context of its own, lets it have its turn, and tells what that cost.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @returns {Promise<Measured>}
 */
export async function measure(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  const page = await context.newPage()
  /** @type {string[]} */
  const errors = []
  page.on('pageerror', (error) => errors.push(error.message))
  try {
    await page.goto(url)
    await page.waitForFunction(`document.querySelectorAll('li').length === ${OLD} && window.send !== undefined`)
    await page.waitForTimeout(500)
    const session = await context.newCDPSession(page)
    // CPU time of the thread: what other processes take of the machine does not count.
    await session.send('Performance.enable', { timeDomain: 'threadTicks' })
    lastWrite.at = 0
    await page.evaluate('Object.assign(window.counts, { list: 0, live: 0, old: 0 })')
    const before = await metrics(session)
    await page.evaluate('void window.send()')
    await page.waitForFunction('window.seenAt > 0', undefined, { timeout: PATIENCE_MS })
    // What a page still does once everything is on screen is its cost, too.
    await page.waitForTimeout(300)
    const after = await metrics(session)
    // What the harness of every page counts.
    const { counts, seenAt } = /** @type {{ counts: { list: number; live: number; old: number }; seenAt: number }} */ (
      await page.evaluate('({ counts: window.counts, seenAt: window.seenAt })')
    )
    return {
      scriptMs: (after.ScriptDuration - before.ScriptDuration) * 1000,
      taskMs: (after.TaskDuration - before.TaskDuration) * 1000,
      ...counts,
      lateMs: seenAt - lastWrite.at,
    }
  } catch (error) {
    throw new Error(`${url}: ${errors.join('; ') || String(error)}`, { cause: error })
  } finally {
    await context.close()
  }
}

/**
 * @param {import('playwright-core').CDPSession} session
 * @returns {Promise<{ ScriptDuration: number; TaskDuration: number }>} in seconds
 */
async function metrics(session) {
  const { metrics: all } = await session.send('Performance.getMetrics')
  const of = (/** @type {string} */ name) => all.find((metric) => metric.name === name)?.value ?? 0
  return { ScriptDuration: of('ScriptDuration'), TaskDuration: of('TaskDuration') }
}
