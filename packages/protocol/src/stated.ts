/** The same without the fields that hold `undefined`: what is not known is left out, not said to be nothing. */
export function stated<T extends object>(fields: T): Stated<T> {
  // Only fields that may be `undefined` are missing from what comes out, and there they are optional.
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Stated<T>
}

type Stated<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}
