import { afterAll, beforeAll, vi } from 'vitest'

/** No run of this file gives way to the event loop in the middle: where it does depends on how busy the machine is. */
export function freezeClock(): void {
  beforeAll(() => void vi.spyOn(performance, 'now').mockReturnValue(0))
  afterAll(() => void vi.restoreAllMocks())
}
