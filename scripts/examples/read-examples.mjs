/**
 * A code block of a document that promises to work as it stands: its fence says `complete`.
 *
 * @typedef {object} Example
 * @property {string} document path of the Markdown file
 * @property {number} line of the first line of code, counted from 1
 * @property {string} file name other examples of the same document import it by
 * @property {string} code
 * @property {string | undefined} output what it prints, for an example that also says `run`: the `text` block after it
 */

const FENCE = /^```(\w*) *(.*)$/

/**
 * The examples of a document, in order. The words after a fence's language are `complete`, `file=graph.ts` to name it for
 * its neighbours, and `run` when the next block shows what it prints. Throws when such a next block is missing.
 *
 * @param {string} document
 * @param {string} markdown
 * @returns {Example[]}
 */
export function readExamples(document, markdown) {
  const blocks = readBlocks(markdown)
  return blocks.flatMap(({ language, words, line, code }, index) => {
    if (!words.includes('complete')) return []
    const named = words.find((word) => word.startsWith('file='))?.slice('file='.length)
    const next = blocks[index + 1]
    const runs = words.includes('run')
    if (runs && next?.language !== 'text') throw new Error(`${document}:${line}: no text block shows what it prints`)
    return [{ document, line, file: named ?? `line-${line}.${language}`, code, output: runs ? next?.code : undefined }]
  })
}

/**
 * @param {string} markdown
 * @returns {{ language: string, words: string[], line: number, code: string }[]}
 */
function readBlocks(markdown) {
  const blocks = []
  /** @type {{ language: string, words: string[], line: number, lines: string[] } | undefined} */
  let open
  for (const [index, text] of markdown.split('\n').entries()) {
    const fence = FENCE.exec(text)
    if (open && text.startsWith('```')) {
      blocks.push({ language: open.language, words: open.words, line: open.line, code: open.lines.join('\n') })
      open = undefined
    } else if (open) {
      open.lines.push(text)
    } else if (fence) {
      open = { language: fence[1] ?? '', words: (fence[2] ?? '').split(' '), line: index + 2, lines: [] }
    }
  }
  return blocks
}
