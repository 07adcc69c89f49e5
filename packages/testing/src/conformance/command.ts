#!/usr/bin/env node
import { runCommand } from './run-command.ts'

/** `rivulet-conformance`: see the usage it prints. */
process.exitCode = await runCommand({
  args: process.argv.slice(2),
  // A path is one from where the command is called.
  load: (module) => import(new URL(module, `file://${process.cwd()}/`).href) as Promise<{ default?: unknown }>,
  write: (line) => void process.stdout.write(`${line}\n`),
})
