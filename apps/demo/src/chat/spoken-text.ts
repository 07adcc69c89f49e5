/** Markdown as it is read out: its words without the marks, code included. */
export function spokenText(markdown: string): string {
  return markdown
    .replace(/^ {0,3}(?:`{3,}|~{3,}).*$/gm, '')
    .replace(/^\s*\|?[\s:|-]+\|?\s*$/gm, '')
    .replace(/^\s*(?:#{1,6}|>|[-*+]|\d+\.)\s+/gm, '')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/(?<![\\\w])[*_]+(?=\S)|(?<=[^\s\\])[*_]+(?!\w)/g, '')
    .replace(/(?<!\\)[`|]/g, ' ')
    .replace(/\\([^\sA-Za-z0-9])/g, '$1')
    .replace(/\s+/g, ' ')
    .trim()
}
