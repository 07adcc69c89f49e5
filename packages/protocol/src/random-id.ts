const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz'
/** Bytes from here on would make the first letters likelier than the last. */
const FAIR = 256 - (256 % ALPHABET.length)

/** A random id of `length` characters out of `0-9a-z`, about 5.17 bits each: 24 are more than a UUID has. */
export function randomId(length: number = 24): string {
  let id = ''
  while (id.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < FAIR && id.length < length) id += ALPHABET[byte % ALPHABET.length]
    }
  }
  return id
}
