import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { chatServer, writeChunks, writeError, type ChatServer } from './chat-completions-server.ts'
import { accessibilityProblems } from './accessibility.ts'
import {
  dropFile,
  launch,
  readSample,
  say,
  startDemo,
  untilBusy,
  untilIdle,
  watch,
  type RunningDemo,
} from './demo-page.ts'
import { findChromium } from './find-chromium.ts'

const chromium = findChromium()

// Generous, because other tests may have the machine at the same time; nothing here waits for time to pass.
describe.skipIf(chromium === undefined)('the demo in a browser', { timeout: 45_000 }, () => {
  let browser: Browser
  let context: BrowserContext
  let demo: RunningDemo
  const problems: string[] = []

  const open = async (url = demo.url, viewport = { width: 1280, height: 800 }): Promise<Page> => {
    const page = await context.newPage()
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text())
    })
    await page.setViewportSize(viewport)
    await page.goto(url)
    return page
  }

  beforeAll(async () => {
    ;[browser, demo] = await Promise.all([launch(chromium!), startDemo({})])
    // One context, so that modules are fetched once and not for every page.
    context = await browser.newContext()
    context.setDefaultTimeout(50_000)
    // The first visit lets Vite prepare the page, which is no part of what a test waits for.
    const page = await open()
    await page
      .getByLabel('Message')
      .waitFor()
      .catch((error: unknown) => {
        throw new Error(`the page did not come up: ${problems.join('\n')}`, { cause: error })
      })
    context.setDefaultTimeout(30_000)
  }, 60_000)

  afterEach(async () => {
    await Promise.all(context.pages().map((page) => page.close()))
    const seen = problems.splice(0)
    if (seen.length > 0) throw new Error(`the page reported: ${seen.join('\n')}`)
  })

  afterAll(async () => {
    await browser?.close()
    await demo?.server.close()
  })

  const answers = (page: Page): Promise<string[]> => page.locator('.message-assistant .markdown').allInnerTexts()

  test('a question is answered while one watches, with the tools that it took', async () => {
    const page = await open()
    expect(await page.locator('.agent-label').innerText()).toBe('Rule-based agent')
    const lengths = await watch(
      page,
      () => [...document.querySelectorAll('.message-assistant .markdown')].at(-1)?.textContent?.length,
    )
    const nodes = await watch(page, () => document.querySelector('.run-status code')?.textContent ?? undefined)
    await say(page, 'What is 2^10, and how do I resume a stream?')
    await untilBusy(page)
    await untilIdle(page)
    expect((await lengths()).length).toBeGreaterThan(5)
    expect(await nodes()).toEqual(['model', 'tools', 'model'])
    expect((await answers(page)).at(-1)).toContain('2^10 = 1024')
    expect(await page.locator('.tool-card[data-state=done]').count()).toBe(2)
    expect(await page.locator('.hit').count()).toBeGreaterThan(0)
  })

  test('the graph shows which node runs and which have run, and is put away', async () => {
    const page = await open()
    const graph = page.getByRole('img', { name: /^Graph: start leads to model; model may lead to tools or end/ })
    await graph.waitFor()
    const lit = await watch(page, () => {
      const nodes = document.querySelectorAll<SVGElement>('[data-node][data-state=running]')
      return [...nodes].map(({ dataset }) => dataset['node']).join(' ') || undefined
    })
    await page.getByRole('button', { name: 'Analyze a sample CSV' }).click()
    await untilBusy(page)
    await untilIdle(page)
    expect(await lit()).toEqual(['model', 'tools', 'model'])
    expect(await graph.locator('[data-state=finished]').allTextContents()).toEqual(['model×2', 'tools'])
    await page.getByRole('button', { name: 'Graph' }).click()
    await graph.waitFor({ state: 'detached' })
    await page.reload()
    await page.getByText('2,920 rows;').waitFor()
    expect(await graph.count()).toBe(0)
    await page.getByRole('button', { name: 'Graph' }).click()
    await graph.waitFor()
  })

  test('a dropped file is measured with progress, and its histograms are drawn', async () => {
    const page = await open()
    await page.getByLabel('Message').waitFor()
    await dropFile(page, 'gauges.csv', await readSample())
    await page.locator('.composer .chip', { hasText: 'gauges.csv' }).waitFor()
    const progress = await watch(
      page,
      () => document.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow') ?? undefined,
    )
    await page.getByLabel('Message').press('Enter')
    await untilBusy(page)
    await page.locator('.recharts-bar-rectangle').first().waitFor()
    const seen = (await progress()).map(Number)
    expect(seen.length).toBeGreaterThan(3)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
    expect(await page.locator('.histogram').count()).toBe(4)
    expect(await page.locator('.message-user .chip').innerText()).toBe('gauges.csv')
    expect(await page.locator('.composer .chip').count()).toBe(0)
  })

  test('a file that is no table is refused in words', async () => {
    const page = await open()
    await page.getByLabel('Message').waitFor()
    await dropFile(page, 'empty.csv', '')
    expect(await page.getByRole('alert').innerText()).toBe('“empty.csv” is empty.')
  })

  test('a stopped answer keeps what was written, and the chat goes on', async () => {
    const page = await open()
    await say(page, 'hello')
    await page.waitForFunction(
      () => (document.querySelector('.message-assistant .markdown')?.textContent?.length ?? 0) > 20,
    )
    await page.keyboard.press('Escape')
    await untilIdle(page)
    await page.getByText('Stopped here.').waitFor()
    const [kept = ''] = await answers(page)
    expect(kept.length).toBeGreaterThan(20)
    expect(kept).not.toContain('several things at once')
    await say(page, '1 + 1')
    await untilBusy(page)
    await untilIdle(page)
    expect((await answers(page)).at(-1)).toBe('1 + 1 = 2')
    expect((await answers(page))[0]).toBe(kept)
  })

  test('a reload and a second tab show the same conversation, and both hear what comes', async () => {
    const page = await open()
    await say(page, '12 inch to cm')
    await untilBusy(page)
    await untilIdle(page)
    const before = await answers(page)
    expect(before.at(-1)).toBe('12 inch to cm = 30.48 cm')
    await page.reload()
    await page.getByText('30.48 cm').first().waitFor()
    expect(await answers(page)).toEqual(before)

    const other = await open(page.url())
    await other.getByText('30.48 cm').first().waitFor()
    await say(page, 'and in mm?')
    await other.getByText('304.8 mm').first().waitFor()
    await untilIdle(other)

    // Sent in the same moment: when the other tab's question arrives, the server is at work on this one's.
    let arrive = (): void => {}
    const isBusy = new Promise<void>((resolve) => (arrive = resolve))
    await other.route('**/runs', (route) => isBusy.then(() => route.continue()))
    await say(other, '3 inch to cm')
    await say(page, '2 inch to cm')
    await untilBusy(page)
    arrive()
    for (const tab of [page, other]) {
      for (const answer of ['5.08 cm', '7.62 cm']) await tab.getByText(answer).first().waitFor()
      expect(await tab.getByRole('button', { name: 'Try again' }).count()).toBe(0)
    }
  })

  test('chats are listed, and one goes from one to another', async () => {
    const page = await open()
    await say(page, '3 * 14')
    await untilBusy(page)
    await untilIdle(page)
    const first = page.url()
    await page.getByRole('link', { name: 'New chat' }).click()
    await page.getByText('What shall we look into?').waitFor()
    expect(page.url()).toBe(demo.url)
    const earlier = page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name: '3 * 14' })
    await earlier.click()
    await page.locator('.message-assistant', { hasText: '3 * 14 = 42' }).waitFor()
    expect(page.url()).toBe(first)
    await page.goBack()
    await page.getByText('What shall we look into?').waitFor()
  })

  test('the keyboard alone is enough', async () => {
    const page = await open()
    await page.getByLabel('Message').waitFor()
    await page.keyboard.press('Tab')
    expect(await page.locator(':focus').innerText()).toBe('Skip to the message field')
    await page.keyboard.press('Enter')
    await page.keyboard.type('what is 6 * 7')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('?')
    expect(await page.getByLabel('Message').inputValue()).toBe('what is 6 * 7\n?')
    await page.keyboard.press('Enter')
    await untilBusy(page)
    await untilIdle(page)
    expect((await answers(page)).at(-1)).toBe('6 * 7 = 42')
    expect(await page.locator(':focus').getAttribute('id')).toBe('message')

    await page.getByRole('link', { name: 'New chat' }).focus()
    await page.keyboard.press('Enter')
    const sample = page.getByRole('button', { name: 'Analyze a sample CSV' })
    await sample.focus()
    await page.keyboard.press('Enter')
    await untilBusy(page)
    expect(await page.locator(':focus').getAttribute('aria-label')).toBe('Conversation')
    await page.keyboard.press('Escape')
    await untilIdle(page)
    expect(await page.locator(':focus').getAttribute('id')).toBe('message')
  })

  test('a phone shows everything without scrolling sideways, and its list of chats opens and closes', async () => {
    const page = await open(demo.url, { width: 360, height: 740 })
    await page.getByRole('button', { name: '12 inch to cm' }).waitFor()
    expect(await page.evaluate(() => document.querySelector('.scroller')!.scrollTop)).toBe(0)
    await page.getByRole('button', { name: 'Analyze a sample CSV' }).click()
    await page.locator('.recharts-bar-rectangle').first().waitFor()
    await untilIdle(page)
    await page.getByRole('table').waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
    expect(await page.evaluate(() => document.querySelector('.scroller')!.scrollWidth)).toBeLessThanOrEqual(360)

    await page.getByRole('button', { name: 'Show chats' }).click()
    await page.getByRole('dialog', { name: 'Chats' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog', { name: 'Chats' }).waitFor({ state: 'hidden' })
  })

  test.each(['light', 'dark'] as const)('assistive technology finds nothing amiss, %s', async (colorScheme) => {
    const page = await open()
    await page.emulateMedia({ colorScheme })
    await page.getByRole('img', { name: /^Graph/ }).waitFor()
    expect(await accessibilityProblems(page)).toEqual([])
    await page.getByRole('button', { name: 'Analyze a sample CSV' }).click()
    await page.locator('.recharts-bar-rectangle').first().waitFor()
    await untilIdle(page)
    expect(await accessibilityProblems(page)).toEqual([])
    await page.setViewportSize({ width: 360, height: 740 })
    await page.getByRole('button', { name: 'Show chats' }).click()
    await page.getByRole('dialog', { name: 'Chats' }).waitFor()
    expect(await accessibilityProblems(page)).toEqual([])
  })

  test('a reader who scrolled up is left alone, and can jump to the latest', async () => {
    const page = await open(demo.url, { width: 800, height: 420 })
    await say(page, 'hello')
    await untilBusy(page)
    await untilIdle(page)
    await say(page, 'what can you do?')
    await page.waitForFunction(() => document.querySelectorAll('.message-assistant').length === 2)
    await page.evaluate(() => document.querySelector('.scroller')!.scrollTo(0, 0))
    await page.getByRole('button', { name: 'Jump to latest' }).waitFor()
    await untilIdle(page)
    expect(await page.evaluate(() => document.querySelector('.scroller')!.scrollTop)).toBe(0)
    await page.getByRole('button', { name: 'Jump to latest' }).click()
    await page.getByRole('button', { name: 'Jump to latest' }).waitFor({ state: 'hidden' })
  })

  test('a lost network is said, and nothing is missing afterwards', async () => {
    const page = await open()
    await say(page, 'what can you do?')
    await page.waitForFunction(
      () => (document.querySelector('.message-assistant .markdown')?.textContent?.length ?? 0) > 20,
    )
    await context.setOffline(true)
    await page.getByText('You are offline.').waitFor()
    await context.setOffline(false)
    await page.locator('.message-assistant', { hasText: 'several things at once' }).waitFor()
    await untilIdle(page)
    expect(await page.locator('output.notice').count()).toBe(0)
    expect(await page.locator('.message-assistant').count()).toBe(1)
    problems.length = 0 // The browser reports each request that failed while it was offline.
  })

  test('a question that had not got through when the page was reloaded is asked then, and once', async () => {
    const page = await open()
    await page.route('**/runs', (route) => route.abort())
    await say(page, '6 * 7 =')
    await page.getByText(/Reconnecting in \d+ s/).waitFor()
    await page.unroute('**/runs')
    await page.reload()
    await page.locator('.message-assistant', { hasText: '6 * 7 = 42' }).waitFor()
    await untilIdle(page)
    await page.reload()
    await page.locator('.message-assistant', { hasText: '6 * 7 = 42' }).waitFor()
    expect(await page.locator('.message-user').allInnerTexts()).toEqual(['You\n6 * 7 ='])
    problems.length = 0 // The browser reports each request that was cut.
  })

  test('a chat is deleted while it answers, and is gone', async () => {
    const page = await open()
    await say(page, 'what can you do?')
    await untilBusy(page)
    const chats = page.getByRole('navigation', { name: 'Chats' })
    const id = new URL(page.url()).searchParams.get('thread')
    const row = chats.getByRole('listitem').filter({ has: page.locator(`a[href$="${id}"]`) })
    await row.getByRole('button', { name: 'Delete what can you do?' }).click()
    await row.getByRole('button', { name: 'Delete', exact: true }).click()
    await page.getByText('What shall we look into?').waitFor()
    await row.waitFor({ state: 'detached' })
    expect(page.url()).toBe(demo.url)
    expect(await page.evaluate((thread) => fetch(`/v1/threads/${thread}`).then(({ status }) => status), id)).toBe(404)
    problems.length = 0 // The browser reports the 404.
  })

  test('a chat that was deleted elsewhere begins anew with what is asked next', async () => {
    const page = await open()
    await say(page, '8 * 8 =')
    await untilBusy(page)
    await untilIdle(page)
    const id = new URL(page.url()).searchParams.get('thread')
    await page.evaluate((thread) => fetch(`/v1/threads/${thread}`, { method: 'DELETE' }), id)
    await page.getByRole('alert').getByText('This chat no longer exists').waitFor()
    expect(await page.locator('.message-user').count()).toBe(1)
    await say(page, '9 * 9 =')
    await untilBusy(page)
    await untilIdle(page)
    expect(await page.locator('.message-user').allInnerTexts()).toEqual(['You\n9 * 9 ='])
    await page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name: '9 * 9 =' }).waitFor()
  })

  test('another chat is read from its end, wherever one was in the one before', async () => {
    const page = await open(demo.url, { width: 800, height: 420 })
    await say(page, 'what can you do?')
    await untilBusy(page)
    await untilIdle(page)
    const long = page.url()
    await page.evaluate(() => document.querySelector('.scroller')!.scrollTo(0, 0))
    await page.getByRole('button', { name: 'Jump to latest' }).waitFor()
    await page.getByRole('link', { name: 'New chat' }).click()
    await page.getByText('What shall we look into?').waitFor()
    expect(await page.getByRole('button', { name: 'Jump to latest' }).count()).toBe(0)
    await page.goBack()
    await page.waitForURL(long)
    await page.waitForFunction(() => {
      const { scrollTop, scrollHeight, clientHeight } = document.querySelector('.scroller')!
      return scrollTop > 0 && scrollHeight - clientHeight - scrollTop < 2
    })
  })

  test('a part of the page that cannot be fetched leaves the rest alone', async () => {
    const page = await open()
    await page.route(/histogram-chart/, (route) => route.abort())
    await page.getByRole('button', { name: 'Analyze a sample CSV' }).click()
    await page.getByText('2,920 rows;').waitFor()
    await untilIdle(page)
    expect(await page.locator('.histogram').count()).toBe(4)
    problems.length = 0 // The browser reports what could not be fetched.
  })

  test('a page that breaks says so', async () => {
    const page = await open()
    const script = 'export const MessageList = () => { throw new Error("a fault in the page") }'
    await page.route(/message-list\.tsx/, (route) => route.fulfill({ contentType: 'text/javascript', body: script }))
    await page.reload()
    expect(await page.getByRole('alert').locator('p').innerText()).toContain('This page broke')
    await page.unroute(/message-list\.tsx/)
    await page.getByRole('button', { name: 'Load it again' }).click()
    await page.getByLabel('Message').waitFor()
    expect(problems.splice(0).join()).toContain('a fault in the page')
  })

  test('a chat that is gone is said in words', async () => {
    const page = await open(`${demo.url}?thread=gone`)
    expect(await page.getByRole('alert').locator('p').innerText()).toContain('This chat no longer exists')
    expect(await page.getByRole('button', { name: 'Try again' }).count()).toBe(0)
    problems.length = 0 // The browser reports the 404.
  })

  test('screen readers hear an answer once, when it is complete', async () => {
    const page = await open()
    await page.getByLabel('Message').waitFor()
    const said = await watch(page, () => document.querySelector('output[aria-live]')?.textContent || undefined)
    await say(page, '5 * 5')
    await untilBusy(page)
    await untilIdle(page)
    await page.waitForFunction(() => document.querySelector('output[aria-live]')?.textContent?.includes('25'))
    expect(await said()).toEqual(['The agent is answering.', 'The answer is complete. 5 * 5 = 25'])
  })

  describe('with a model of OpenAI', () => {
    let provider: ChatServer
    let withModel: RunningDemo

    beforeAll(async () => {
      provider = await chatServer((_, response, count) => {
        if (count === 0) writeError(response, 401, 'Incorrect API key provided')
        else
          writeChunks(response, [
            { delta: { content: 'Hello from ' } },
            { delta: { content: 'the model.' } },
            { finish_reason: 'stop' },
          ])
      })
      withModel = await startDemo({ OPENAI_API_KEY: 'test', OPENAI_BASE_URL: provider.url, OPENAI_MODEL: 'test-model' })
    })

    afterAll(async () => {
      await withModel?.server.close()
      await provider?.close()
    })

    test('a failing node is said in words, and trying again works', async () => {
      const page = await open(withModel.url)
      expect(await page.locator('.agent-label').innerText()).toBe('test-model')
      await say(page, 'hi')
      const alert = page.getByRole('alert')
      expect(await alert.locator('p').innerText()).toBe('The model answered with status 401: check the API key.')
      expect(await alert.locator('small').innerText()).toBe('Node model, PROVIDER_FAILED')
      await alert.getByRole('button', { name: 'Try again' }).click()
      await page.getByText('Hello from the model.').first().waitFor()
      await untilIdle(page)
      expect(await page.getByRole('alert').count()).toBe(0)
      expect(await page.locator('.message-user').count()).toBe(1)
      expect(provider.requests).toHaveLength(2)
    })
  })
})
