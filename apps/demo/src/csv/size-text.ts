/** A text's size for people, in units of 1,000: `812 B`, `142 kB`, `3.1 MB`. */
export function sizeText(characters: number): string {
  if (characters < 1000) return `${characters} B`
  if (characters < 999_500) return `${Math.round(characters / 1000)} kB`
  return `${(characters / 1_000_000).toFixed(1)} MB`
}
