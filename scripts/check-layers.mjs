import { resolve } from 'node:path'
import { checkRepository } from './layers/check-repository.mjs'

/** `node scripts/check-layers.mjs [root]`: prints every violation of the layers and fails when there is one. */
const { violations, files } = await checkRepository(resolve(process.argv[2] ?? '.').replaceAll('\\', '/'))
for (const violation of violations) console.error(violation)
console.log(
  violations.length === 0 ? `layers: ${files} files, all in order` : `layers: ${violations.length} violations`,
)
process.exitCode = violations.length === 0 ? 0 : 1
