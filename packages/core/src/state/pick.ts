/** What a record has under the keys that are wanted. */
export function pick(record: object, wanted: (key: string) => boolean): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => wanted(key)))
}
