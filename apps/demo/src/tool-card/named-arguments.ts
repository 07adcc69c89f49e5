/** Names and values of a call's arguments for display; `undefined` while the JSON text is not complete. */
export function namedArguments(args: string): [name: string, value: string][] | undefined {
  const parsed = parseObject(args)
  return (
    parsed &&
    Object.entries(parsed).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)])
  )
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
