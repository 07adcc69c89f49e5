import type { RunEvent } from '@rivulet/protocol'
import { handGate, type Gate } from '../script/gate.ts'

/** A gate whose opener waits for what comes to it, however long the way is. */
export interface StepGate extends Gate {
  /** Lets the next events through, up to and with the first of this type. */
  until(type: RunEvent['type']): Promise<void>
  /** Lets everything through from now on. */
  open(): void
}

/** A gate for scripts behind a wire. */
export function stepGate(): StepGate {
  let onHold: () => void = () => {}
  let isOpen = false
  const gate = handGate(() => onHold())
  const nextHeld = async () => {
    if (gate.held.length === 0) await new Promise<void>((resolve) => (onHold = resolve))
    // Somebody has just been held, or was before.
    return gate.held[0]!
  }
  return {
    pass: async (thread, event, signal) => (isOpen ? undefined : gate.pass(thread, event, signal)),
    async until(type) {
      for (;;) {
        const held = await nextHeld()
        onHold = () => {}
        held.release()
        if (held.event.type === type) return
      }
    },
    open() {
      isOpen = true
      // Each that is let through leaves the list.
      for (let held = gate.held[0]; held !== undefined; held = gate.held[0]) held.release()
    },
  }
}
