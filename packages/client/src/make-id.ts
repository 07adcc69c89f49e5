/** A random id of 128 bits as 32 hexadecimal digits. Works in pages that are not served over HTTPS, too. */
export function makeId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
