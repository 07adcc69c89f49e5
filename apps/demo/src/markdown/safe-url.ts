const SAFE = new Set(['http:', 'https:', 'mailto:'])

/** The address itself when it is an absolute one of the web or of mail, else an empty text. */
export function safeUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  return parsed && SAFE.has(parsed.protocol) ? url : ''
}
