/** A measurement: minutes since the start, and a size in MB. */
export interface Sample {
  readonly minutes: number
  readonly megabytes: number
}

/** Growth in MB a minute: the line that fits best. 0 for fewer than two samples. */
export function slopeOf(samples: readonly Sample[]): number {
  const mean = (of: (sample: Sample) => number) => samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length
  const [minutes, megabytes] = [mean((sample) => sample.minutes), mean((sample) => sample.megabytes)]
  let [above, below] = [0, 0]
  for (const sample of samples) {
    above += (sample.minutes - minutes) * (sample.megabytes - megabytes)
    below += (sample.minutes - minutes) ** 2
  }
  return below === 0 ? 0 : above / below
}
