import { textOf } from '../read-fields.ts'

/** The content of a file as base64, given as that or as bytes; `undefined` when it is neither. */
export function base64Of(content: unknown): string | undefined {
  if (!(content instanceof Uint8Array)) return textOf(content)
  let binary = ''
  for (const byte of content) binary += String.fromCharCode(byte)
  return btoa(binary)
}
