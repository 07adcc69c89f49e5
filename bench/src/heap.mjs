/**
 * Bytes of live objects, on the heap and in the buffers they hold. Needs `--expose-gc`.
 *
 * @returns {number}
 */
export function bytesHeld() {
  if (globalThis.gc === undefined) throw new Error('heap is measured with node --expose-gc')
  // A second time for what the first one's finalizers let go.
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
