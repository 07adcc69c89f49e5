/** Longest title, in characters. */
const MAX_TITLE = 80

/** A chat's title: the beginning of what was asked first, in one line. */
export function threadTitle(firstQuestion: string, fileName?: string): string {
  const line = firstQuestion.replace(/\s+/g, ' ').trim()
  const title = line === '' ? (fileName ?? 'Chat') : line
  return title.length > MAX_TITLE ? `${title.slice(0, MAX_TITLE - 1)}…` : title
}
