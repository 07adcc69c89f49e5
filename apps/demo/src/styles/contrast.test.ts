import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const css = readFileSync(new URL('tokens.css', import.meta.url), 'utf8')
const [light = '', dark = ''] = css.split('@media')

/** The colours that a piece of the style sheet names, as `--name` to `#rrggbb`. */
function coloursIn(text: string): Map<string, string> {
  return new Map([...text.matchAll(/(--[\w-]+): (#[0-9a-f]{6});/g)].map((match) => [match[1]!, match[2]!]))
}

/** Relative luminance by WCAG 2.2. */
function luminance(colour: string): number {
  const channel = (at: number): number => {
    const share = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

function contrast(one: string, other: string): number {
  const [brighter = 0, darker = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (brighter + 0.05) / (darker + 0.05)
}

const grounds = ['--paper', '--surface', '--sunken', '--accent-soft', '--bubble']
const text = [
  ...grounds.flatMap((ground) => [
    ['--ink', ground],
    ['--ink-soft', ground],
  ]),
  ...['--paper', '--surface', '--sunken'].flatMap((ground) => [
    ['--ink-faint', ground],
    ['--accent', ground],
  ]),
  ['--accent', '--accent-soft'],
  ['--accent-ink', '--accent'],
  ['--paper', '--ink'],
  ['--danger', '--surface'],
  ['--danger', '--paper'],
  ['--danger', '--danger-soft'],
  ['--ink', '--danger-soft'],
  ['--ink', '--warning-soft'],
] as [string, string][]

describe.each([
  ['light', coloursIn(light)],
  ['dark', coloursIn(dark)],
])('in the %s scheme', (_, colours) => {
  test.each(text)('%s on %s has a contrast of at least 4.5', (ink, ground) => {
    expect(contrast(colours.get(ink)!, colours.get(ground)!)).toBeGreaterThanOrEqual(4.5)
  })

  test.each(['--line-strong', '--accent'])('the edge %s has a contrast of at least 3', (edge) => {
    expect(contrast(colours.get(edge)!, colours.get('--surface')!)).toBeGreaterThanOrEqual(3)
  })
})
