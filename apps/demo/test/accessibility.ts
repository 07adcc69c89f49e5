import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** What axe finds wrong with the page as it stands: each rule with the elements that break it. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // Colours that are on their way to another would be measured half way.
  await page.evaluate(() => {
    const ending = document.getAnimations().filter(({ effect }) => effect?.getTiming().iterations !== Infinity)
    return Promise.all(ending.map((animation) => animation.finished.catch(() => {})))
  })
  await page.evaluate(axe.source)
  const violations = await page.evaluate(async () => {
    // The script above has put it there.
    const { axe: injected } = globalThis as unknown as { axe: typeof axe }
    return (await injected.run()).violations
  })
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(', ')}`)
}
