import type { ReactNode } from 'react'
import { Icon } from '../icons.tsx'

/** A file's name in a small frame; with `onRemove`, a button takes it away. */
export function CsvChip({ name, detail, onRemove }: CsvChipProps): ReactNode {
  return (
    <span className="chip">
      <Icon name="chart" />
      <span className="chip-name">{name}</span>
      {detail && <span className="chip-size">{detail}</span>}
      {onRemove && (
        <button type="button" className="chip-remove" aria-label={`Remove ${name}`} onClick={onRemove}>
          <Icon name="close" />
        </button>
      )}
    </span>
  )
}

/** See {@link CsvChip}. */
export interface CsvChipProps {
  name: string
  /** Something short beside the name, such as its size. */
  detail?: string
  onRemove?: () => void
}
