import type { ReactNode } from 'react'

/** Outlines on a 24 by 24 grid, one path each. */
const paths = {
  wave: 'M3 9c3-3 6-3 9 0s6 3 9 0M3 16c3-3 6-3 9 0s6 3 9 0',
  send: 'M12 19V5M5.5 11.5 12 5l6.5 6.5',
  stop: 'M7.5 7.5h9v9h-9z',
  clip: 'M19 11.5 12 18.5a4 4 0 0 1-5.7-5.7l7.5-7.5a2.7 2.7 0 0 1 3.8 3.8l-7.4 7.4a1.3 1.3 0 0 1-1.9-1.9l6.4-6.4',
  close: 'M7 7l10 10M17 7 7 17',
  menu: 'M4 7h16M4 12h16M4 17h16',
  plus: 'M12 5v14M5 12h14',
  down: 'M12 5v14M5.5 12.5 12 19l6.5-6.5',
  retry: 'M4 12a8 8 0 1 0 2.5-5.8M6 3v4h4',
  book: 'M5 5.5A2.5 2.5 0 0 1 7.5 3H19v15H7.5A2.5 2.5 0 0 0 5 20.5zM5 20.5A2.5 2.5 0 0 0 7.5 21H19',
  chart: 'M5 20V11M12 20V4M19 20v-6',
  sum: 'M17 5H7l6 7-6 7h10',
  graph: 'M4 9h5v6H4zM15 4h5v5h-5zM15 15h5v5h-5zM9 12h3M15 6.5h-3v11h3',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5',
  tool: 'M14.5 6a4 4 0 0 0 4.7 5L11 19.2a2.3 2.3 0 0 1-3.3-3.3L16 7.7',
} as const

/** Name of an icon. */
export type IconName = keyof typeof paths

/** A decorative outline in the colour and size of the text around it (stop is filled); screen readers skip it. */
export function Icon({ name }: { name: IconName }): ReactNode {
  return (
    <svg
      className="icon"
      viewBox="0 0 24 24"
      fill={name === 'stop' ? 'currentColor' : 'none'}
      stroke="currentColor"
      strokeWidth="1.8"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  )
}
