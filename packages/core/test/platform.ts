/** Whether these tests run in Node: only there a function finds the node it is called in by itself. */
export const isNode: boolean = 'process' in globalThis
