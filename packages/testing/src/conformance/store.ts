import { checkpointerConformance } from './checkpointer.ts'
import { about, type Harness } from './harness.ts'
import { logConformance } from './log.ts'
import { runConformance } from './runs.ts'
import { modelConformance } from './store-model.ts'
import { newThread, type MakeStore } from './stored.ts'
import { threadConformance } from './threads.ts'

/**
 * What every store of threads, runs, logs and checkpoints must do, as tests: `storeConformance(() => memoryStore(), {
 * test, expect })`. Each test asks for an empty store; whoever makes it closes it when the test is over.
 */
export function storeConformance(makeStore: MakeStore, harness: Harness): void {
  const makeLog = async () => {
    const store = await makeStore()
    await store.createThread('', newThread('t'))
    return store.openLog('', 't')
  }
  logConformance(makeLog, about('its log', harness))
  checkpointerConformance(async () => (await makeStore()).checkpointer, about('its checkpointer', harness))
  threadConformance(makeStore, about('its threads', harness))
  runConformance(makeStore, about('its runs', harness))
  modelConformance(makeStore, about('it', harness))
}
