/** Plain text as Markdown that shows it: marks are written out, and lines become one. */
export function escapeMarkdown(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\|*_`[\]<>~#]/g, String.raw`\$&`)
}
