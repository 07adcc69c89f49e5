import type { ReactNode } from 'react'
import { isNumeric, type Column, type CsvFigures, type NumericColumn } from '../../contract/csv-analysis.ts'
import { numberText } from '../../contract/number-text.ts'
import { useModule } from '../use-module.ts'
import { describeHistogram } from './describe-histogram.ts'

/** A CSV file's columns: a histogram for each of numbers, the most frequent values for the others. */
export function CsvColumns({ rows, columns, ragged }: CsvFigures): ReactNode {
  const numeric = columns.filter(isNumeric)
  const others = columns.filter((column) => !isNumeric(column))
  return (
    <>
      <p>
        {columns.length} {columns.length === 1 ? 'column' : 'columns'}, {numberText(rows)} {rows === 1 ? 'row' : 'rows'}
        {ragged > 0 && `, ${numberText(ragged)} of them ragged`}
      </p>
      {numeric.length > 0 && (
        <ul className="columns">
          {numeric.map((column) => (
            <NumericColumnCard key={column.name} column={column} />
          ))}
        </ul>
      )}
      {others.length > 0 && (
        <details className="tool-more" open={numeric.length === 0}>
          <summary>
            {others.length} {others.length === 1 ? 'column' : 'columns'} without numbers
          </summary>
          <ul className="columns">
            {others.map((column) => (
              <OtherColumnCard key={column.name} column={column} />
            ))}
          </ul>
        </details>
      )}
    </>
  )
}

function NumericColumnCard({ column }: { column: NumericColumn }): ReactNode {
  const { name, type, histogram, mean, min, max, missing } = column
  // The charting library is as large as the rest of the page, so it comes when a chart does.
  const chart = useModule('histogram-chart', () => import('./histogram-chart.tsx'))
  return (
    <li className="column">
      <h4>
        {name} <span>{type}</span>
      </h4>
      {/* A drawing made of many elements, read as one sentence. */}
      {/* oxlint-disable-next-line jsx-a11y/prefer-tag-over-role */}
      <div className="histogram" role="img" aria-label={describeHistogram(column)}>
        {chart && <chart.HistogramChart bins={histogram} />}
      </div>
      <p>
        mean {numberText(mean)} · min {numberText(min)} · max {numberText(max)}
        {missing > 0 && ` · ${numberText(missing)} missing`}
      </p>
    </li>
  )
}

function OtherColumnCard({ column }: { column: Exclude<Column, NumericColumn> }): ReactNode {
  const { name, type, top, range, distinct, distinctIsBound, missing } = column
  return (
    <li className="column">
      <h4>
        {name} <span>{type}</span>
      </h4>
      <p>
        {range
          ? `${range[0]} to ${range[1]}`
          : top.map(({ value, count }) => `${value} (${numberText(count)})`).join(', ')}
      </p>
      <p>
        {distinctIsBound && 'more than '}
        {numberText(distinct)} different{missing > 0 && ` · ${numberText(missing)} missing`}
      </p>
    </li>
  )
}
