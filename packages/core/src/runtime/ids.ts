import type { Namespace } from '@rivulet/protocol'

/** A new id with 128 random bits, in 32 hex digits. */
export function randomId(): string {
  return crypto.randomUUID().replaceAll('-', '')
}

/**
 * A short stable id for what identifies something: the same text always gives the same id. 64 bits as up to 14 base-36 digits;
 * not for secrets. (cyrb53's mixing, with both halves kept.)
 */
export function stableId(text: string): string {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 2654435761)
    b = Math.imul(b ^ code, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return (a >>> 0).toString(36) + (b >>> 0).toString(36)
}

let lastTime = 0
let counter = 0

/** A checkpoint's id: sorts by time of creation, also within one millisecond of one process, and is random behind. */
export function checkpointId(now: number): string {
  const time = Math.max(now, lastTime)
  counter = time === lastTime ? counter + 1 : 0
  lastTime = time
  return `${time.toString(36).padStart(9, '0')}${counter.toString(36).padStart(4, '0')}${randomId().slice(0, 10)}`
}

/** What the ids of one step's tasks are made from: where the step started from, in which graph, which step it is. */
export function taskBase(from: string, ns: Namespace, step: number): string {
  return `${from}/${ns.join('|')}/${step}`
}

/** Id of the task of a node that edges reached. */
export function nodeTaskId(base: string, node: string): string {
  return stableId(`${base}/${node}`)
}

/** Id of the task of a step's send with this index. */
export function sendTaskId(base: string, index: number, node: string): string {
  return stableId(`${base}/send/${index}/${node}`)
}
