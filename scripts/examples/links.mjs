/**
 * The links of a document to other documents of the repository, as written, outside of code.
 *
 * @param {string} markdown
 * @returns {string[]}
 */
export function localLinks(markdown) {
  const prose = markdown.replaceAll(/^```[^]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => `${match[1]}`)
  return targets.filter((target) => !/^[a-z]+:/.test(target))
}

/**
 * The names by which a document's headings are linked, as GitHub makes them.
 *
 * @param {string} markdown
 * @returns {string[]}
 */
export function anchors(markdown) {
  const prose = markdown.replaceAll(/^```[^]*?^```/gm, '')
  return [...prose.matchAll(/^#+ (.+)$/gm)].map((match) =>
    `${match[1]}`
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(/\s/g, '-'),
  )
}
