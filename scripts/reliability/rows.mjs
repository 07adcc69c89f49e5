/**
 * What can go wrong between a node and a page, and what must hold then. The numbers are those in the names of tests:
 * `[row 19] …` or `[rows 7, 8] …`.
 *
 * @typedef {object} Row
 * @property {string} where
 * @property {string} fault
 * @property {string} holds
 */

/** @param {string} where @param {string} fault @param {string} holds @returns {Row} */
const row = (where, fault, holds) => ({ where, fault, holds })

/** @type {Readonly<Record<number, Row>>} */
export const rows = {
  1: row('model', 'the provider’s stream breaks, or refuses', 'a typed error with its node, after the node’s retries'),
  2: row('node', 'an attempt fails after some tokens', 'they are withdrawn; the page shows the next attempt alone'),
  3: row('node', 'it goes on after it was stopped', 'nothing of it is published after the end'),
  4: row('node', 'it hogs the process', 'others are late, lose nothing, and their heartbeats come again'),
  5: row('node', 'it writes what is no JSON', 'an `error` event of its own; the run goes on'),
  6: row('nodes', 'they run side by side', 'each keeps its order; one order for every reader'),
  7: row('log', 'the process dies before an append', 'nobody has seen the events'),
  8: row('log', 'the process dies after it, before readers are told', 'readers get them after the restart'),
  9: row('log', 'the process dies between events and checkpoint', 'both or neither; the run goes on from the last'),
  10: row('log', 'the disk is full or broken', 'the run fails typed, its readers are told; what was kept can be read'),
  11: row('log', 'a process wakes that was replaced', 'its writes are refused'),
  12: row('runs', 'the process is killed in a node', 'the next one carries the run on'),
  13: row('runs', 'the answer to a start is lost', 'sent again, it is the same run'),
  14: row('runs', 'a second run on a busy thread', 'refused, queued, in its place, or rolled back, as asked'),
  15: row('server', 'a reader takes nothing', 'bounded memory, then `SLOW_CONSUMER`; it can resume'),
  16: row('server', 'minutes of silence', 'heartbeats keep the one connection'),
  17: row('server', 'it is told to stop', 'readers are told when to come back; runs end or are handed over'),
  18: row('server', 'it is killed', 'after the restart pages show what the log says'),
  19: row('wire', 'cut behind every byte, closed or reset', 'the same end, nothing lost'),
  20: row('wire', 'cut again and again', 'progress while something comes each time'),
  21: row('wire', 'an event twice', 'once on the page'),
  22: row('wire', 'events out of order', 'never applied so; caught up'),
  23: row('wire', 'an event lost', 'noticed by the next event or the next heartbeat'),
  24: row('wire', 'open and silent, from the start or in the middle', 'noticed after 2.5 heartbeats'),
  25: row('wire', 'bytes split anywhere, other line ends, marks, broken UTF-8', 'read the same'),
  26: row('wire', 'half an event at the end', 'not seen'),
  27: row('wire', 'a proxy holds 16 KiB back', 'late and right; proxies are asked not to'),
  28: row('wire', 'HTML, another type or a redirect instead', '`PROTOCOL_MISMATCH` at once; headers stay here'),
  29: row('wire', 'an event of 10 MB; a line without end', 'taken; `LIMIT_EXCEEDED` within bounds'),
  30: row('wire', 'an event that makes no sense', 'skipped and counted; never met again and again'),
  31: row('wire', 'events of a later version', 'counted and skipped, others are shown'),
  32: row('resume', '401, 403', 'credentials once more, then typed; the text stays'),
  33: row('resume', '410, a trimmed log', 'snapshot and what follows, the same state'),
  34: row('resume', '409', 'typed, with the run under way'),
  35: row('resume', '503 with retry-after in seconds or as a date', 'that long and no request'),
  36: row('resume', 'the server came back with another log', 'its snapshot'),
  37: row('client', 'asleep for ten minutes', 'one connection, no burst of renders'),
  38: row('client', 'the network comes and goes 20 times', 'one connection at most; used when it is there'),
  39: row('client', 'the clock is set by a day', 'nothing changes'),
  40: row('client', 'left or stopped at any moment', 'no connection, no unhandled rejection, one end'),
  41: row('hook', 'StrictMode, shown again', 'one run, one connection, text once'),
  42: row('hook', 'unmounted', 'disconnected within 50 ms; the run goes on'),
  43: row('hook', 'another thread in the middle, and back', 'no words of the one in the other; all of it on return'),
  44: row('hook', 'stopped in a tool call', 'the tool’s signal fires, the thread is usable at once'),
  45: row('hook', 'two pages of one thread', 'the same in the end, byte for byte'),
  46: row('hook', '100,000 tokens', 'a render a frame at most, the last one shown'),
  47: row('pixels', 'Markdown with scripts, half-written', 'nothing runs, nothing is fetched, nothing throws'),
  48: row('all', 'a question outlives the server and is answered twice', 'one answer counts, side effects once'),
}
