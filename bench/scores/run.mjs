import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { ghosts } from './ghost.mjs'

/** `node scores/run.mjs`, after a build of the packages: what becomes of broken streams, here and elsewhere, as a table. */
const CLIENTS = ['Rivulet', 'LangGraph SDK 1.15.0', 'AI SDK 7.0.173']
const FAULTS = {
  duplicate: 'an event comes twice; `abc` was said',
  poison: 'an event that is no JSON, in the middle of `abc`',
  silence: 'the socket falls silent after `ab`, 60 s to notice',
  endless: 'a line of 256 MB after `ab`',
}

console.log(`| fault | ${CLIENTS.join(' | ')} |\n|---|${CLIENTS.map(() => '---|').join('')}`)
for (const [fault, what] of Object.entries(FAULTS)) {
  const told = await Promise.all(CLIENTS.map((client) => read(client, fault)))
  console.log(`| ${what} | ${told.join(' | ')} |`)
}
for (const [name, run] of Object.entries(ghosts))
  console.log(`a model breaks off and is tried again, ${name}: ${await run()}`)

/**
 * @param {string} client
 * @param {string} fault
 * @returns {Promise<string>}
 */
function read(client, fault) {
  const args = [join(import.meta.dirname, 'child.mjs'), client, fault]
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    child.on('close', () => resolve(output === '' ? 'the process died' : tell(JSON.parse(output))))
  })
}

/** @param {{ end: string, text: string, seconds: number, megabytes: number }} result */
function tell({ end, text, seconds, megabytes }) {
  return `\`${text}\`, ${end.slice(0, 90)}, ${seconds.toFixed(1)} s, +${megabytes} MB`
}
