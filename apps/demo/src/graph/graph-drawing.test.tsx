// @vitest-environment jsdom
import { cleanup, render, screen } from '@testing-library/react'
import { afterEach, expect, test } from 'vitest'
import { GraphDrawing, type GraphDrawingProps } from './graph-drawing.tsx'

afterEach(cleanup)

const graph = {
  name: 'g',
  nodes: [{ id: '__start__' }, { id: 'plan' }, { id: 'act' }, { id: '__end__' }],
  edges: [
    { from: '__start__', to: 'plan' },
    { from: 'plan', to: 'act', conditional: true, label: 'go' },
    { from: 'act', to: '__end__' },
  ],
}

function states(more: Partial<GraphDrawingProps>): Record<string, string> {
  const { container } = render(<GraphDrawing graph={graph} running={new Set()} finished={new Map()} {...more} />)
  const nodes = [...container.querySelectorAll<SVGElement>('[data-node]')]
  return Object.fromEntries(nodes.map(({ dataset }) => [dataset['node']!, dataset['state']!]))
}

test('nodes that run and nodes that ran are told apart', () => {
  expect(states({ running: new Set(['act']), finished: new Map([['plan', 1]]) })).toEqual({
    __start__: 'idle',
    plan: 'finished',
    act: 'running',
    __end__: 'idle',
  })
})

test('a node that runs again is running', () => {
  expect(states({ running: new Set(['plan']), finished: new Map([['plan', 2]]) })['plan']).toBe('running')
  expect(screen.getByText('×2')).toBeTruthy()
})

test('conditional edges are dashed and carry their label', () => {
  const { container } = render(<GraphDrawing graph={graph} running={new Set()} finished={new Map()} />)
  const dashes = [...container.querySelectorAll('.graph-edge')].map((edge) => edge.getAttribute('stroke-dasharray'))
  expect(dashes).toEqual(['none', '4 4', 'none'])
  expect(screen.getByText('go')).toBeTruthy()
})

test('it is an image that says what it shows', () => {
  states({ running: new Set(['act']) })
  expect(screen.getByRole('img').getAttribute('aria-label')).toContain('Running now: act.')
})
