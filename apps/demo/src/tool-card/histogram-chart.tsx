import type { ReactNode } from 'react'
import { Bar, BarChart, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts'
import type { Bin } from '../../contract/csv-analysis.ts'
import { numberText } from '../../contract/number-text.ts'

/** A column's histogram, as wide as its place. It says nothing to screen readers: the place around it does. */
export function HistogramChart({ bins }: { bins: readonly Bin[] }): ReactNode {
  const bars = bins.map(({ from, to, count }) => ({
    from: numberText(from),
    range: `${numberText(from)} to ${numberText(to)}`,
    count,
  }))
  return (
    <ResponsiveContainer width="100%" height="100%">
      <BarChart
        data={bars}
        margin={{ top: 4, right: 4, bottom: 0, left: 0 }}
        barCategoryGap={1}
        accessibilityLayer={false}
      >
        <XAxis
          height={20}
          dataKey="from"
          tick={tick}
          tickLine={false}
          axisLine={axis}
          interval="equidistantPreserveStart"
          minTickGap={12}
        />
        <YAxis hide />
        <Tooltip content={<BinTip />} cursor={{ fill: 'var(--accent-soft)' }} isAnimationActive={false} />
        <Bar dataKey="count" fill="var(--accent)" radius={[2, 2, 0, 0]} isAnimationActive={false} />
      </BarChart>
    </ResponsiveContainer>
  )
}

const tick = { fill: 'var(--ink-faint)', fontSize: 11 }
const axis = { stroke: 'var(--line-strong)' }

interface BinTipProps {
  active?: boolean
  payload?: readonly { payload?: { range: string; count: number } }[]
}

function BinTip({ active, payload }: BinTipProps): ReactNode {
  const bin = payload?.[0]?.payload
  if (!active || !bin) return null
  return (
    <span className="chip">
      {bin.range}: {numberText(bin.count)}
    </span>
  )
}
