/** Placeholder until the serialiser lands. */
export type SerializedState = Readonly<Record<string, unknown>>
