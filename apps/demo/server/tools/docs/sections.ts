/** A piece of a Markdown file: what stands between one heading and the next. */
export interface Section {
  file: string
  /** Headings from the file's first down to this one's, outermost first; empty before the first heading. */
  trail: readonly string[]
  /** Paragraphs, list items and table rows as plain text, in order. */
  paragraphs: readonly string[]
  /** The first fenced code block, where there is one. */
  code: { language: string; text: string } | undefined
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w-]*)/
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/
/** A line that begins a paragraph of its own: a list item, a table row, a quotation. */
const STARTS_PARAGRAPH = /^\s*(?:[-*+]\s|\d+[.)]\s|\||>)/
const TABLE_RULE = /^\s*\|?[\s:|-]+\|?\s*$/

/** Splits Markdown at its headings. Text inside code fences is code, also where it looks like a heading. */
export function splitSections(file: string, markdown: string): Section[] {
  const sections: Section[] = []
  const trail: { level: number; title: string }[] = []
  let current = draft(file, [])
  let fence: { mark: string; language: string; lines: string[] } | undefined

  const finish = (): void => {
    current.endParagraph()
    if (current.section.paragraphs.length > 0 || current.section.code) sections.push(current.section)
  }
  for (const line of markdown.split(/\r?\n/)) {
    if (fence) {
      if (closes(line, fence.mark)) {
        current.addCode(fence.language, fence.lines)
        fence = undefined
      } else fence.lines.push(line)
      continue
    }
    const opening = FENCE.exec(line)
    const heading = HEADING.exec(line)
    if (opening) {
      current.endParagraph()
      fence = { mark: opening[1]!, language: opening[2] ?? '', lines: [] }
    } else if (heading) {
      finish()
      const level = heading[1]!.length
      while (trail.length > 0 && trail.at(-1)!.level >= level) trail.pop()
      trail.push({ level, title: plainText(heading[2]!) })
      current = draft(
        file,
        trail.map(({ title }) => title),
      )
    } else current.addLine(line)
  }
  if (fence) current.addCode(fence.language, fence.lines)
  finish()
  return sections
}

/** Markdown's inline marks taken off: links become their text, emphasis and HTML comments go, code keeps its words. */
export function plainText(markdown: string): string {
  return markdown
    .replace(/<!--.*?-->/g, '')
    .replace(/!\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replace(/(\*\*|__)(?=\S)(.+?)\1/g, '$2')
    .replace(/(?<![\w*])\*(?=\S)([^*]+)\*(?!\w)/g, '$1')
    .replace(/`([^`]+)`/g, '$1')
    .replace(/\s+/g, ' ')
    .trim()
}

function closes(line: string, mark: string): boolean {
  const trimmed = line.trim()
  return trimmed.startsWith(mark) && trimmed.split('').every((character) => character === mark[0])
}

/** A section that is being filled. */
function draft(file: string, trail: readonly string[]) {
  const paragraphs: string[] = []
  const section: { -readonly [K in keyof Section]: Section[K] } = { file, trail, paragraphs, code: undefined }
  let lines: string[] = []

  const endParagraph = (): void => {
    const text = plainText(lines.join(' ').replace(/^\s*(?:[-*+]|\d+[.)]|>)\s+/, ''))
    if (text !== '') paragraphs.push(text)
    lines = []
  }
  return {
    section,
    endParagraph,
    addLine(line: string): void {
      if (line.trim() === '' || TABLE_RULE.test(line)) return endParagraph()
      if (STARTS_PARAGRAPH.test(line)) endParagraph()
      const row = line.trim().startsWith('|')
      lines.push(
        row
          ? line
              .trim()
              .replace(/^\||\|$/g, '')
              .replaceAll('|', ' · ')
          : line,
      )
    },
    addCode(language: string, code: readonly string[]): void {
      section.code ??= { language, text: code.join('\n') }
    },
  }
}
