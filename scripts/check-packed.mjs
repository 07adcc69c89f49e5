import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { consumer, entriesOf, faultsOfContents } from './packed/contents.mjs'
import { run } from './packed/run.mjs'

/**
 * `node scripts/check-packed.mjs`, after a build: packs every public package as it would be published, looks it over
 * with publint, installs all of them with npm into an empty folder, type-checks a module that imports every entry, and
 * runs it. Fails when any of that does.
 *
 * @typedef {object} Manifest
 * @property {string} name
 * @property {string} version
 * @property {boolean} [private]
 * @property {Record<string, unknown>} [exports]
 * @property {string} [packageManager]
 * @property {Record<string, string>} [devDependencies]
 *
 * @typedef {{ manifest: Manifest, tarball: string }} Packed
 */
const root = resolve(import.meta.dirname, '..')
const rootManifest = await readManifest(root)
const folder = await mkdtemp(join(tmpdir(), 'packed-'))
/** @type {string[]} */
const faults = []
try {
  const packed = await packAll()
  for (const one of packed) faults.push(...(await lookOver(one)))
  if (faults.length === 0) await consume(packed)
} catch (error) {
  faults.push(error instanceof Error ? error.message : String(error))
} finally {
  await rm(folder, { recursive: true })
}
for (const fault of faults) console.error(fault)
console.log(faults.length === 0 ? 'packed: all in order' : `packed: ${faults.length} faults`)
process.exitCode = faults.length === 0 ? 0 : 1

/** @returns {Promise<Packed[]>} */
async function packAll() {
  const names = await readdir(join(root, 'packages'))
  const packed = []
  for (const name of names) {
    const place = join(root, 'packages', name)
    const manifest = await readManifest(place)
    if (manifest.private) continue
    await run('npx', ['-y', `${rootManifest.packageManager}`, 'pack', '--pack-destination', folder], place)
    const file = `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`
    packed.push({ manifest, tarball: join(folder, file) })
  }
  return packed
}

/** @type {(packed: Packed) => Promise<string[]>} */
async function lookOver({ manifest, tarball }) {
  const listing = await run('tar', ['-tzf', tarball], folder)
  const files = listing
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''))
  const bytes = await readFile(tarball)
  const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, strict: true })
  const said = messages.map((message) => formatMessage(message, pkg ?? {}, { color: false }) ?? message.code)
  console.log(`${manifest.name}: ${files.length} files, ${(bytes.length / 1024).toFixed(1)} KiB packed`)
  return [...faultsOfContents(files), ...said].map((fault) => `${manifest.name}: ${fault}`)
}

/** @type {(packed: readonly Packed[]) => Promise<void>} */
async function consume(packed) {
  const source = consumer(packed.flatMap(({ manifest }) => entriesOf(manifest)))
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  await writeFile(join(folder, 'consumer.ts'), source)
  const react = await readManifest(join(root, 'packages/react'))
  const server = await readManifest(join(root, 'packages/server'))
  const versions = { ...server.devDependencies, ...react.devDependencies, ...rootManifest.devDependencies }
  const needed = [
    'react',
    '@types/react',
    '@types/node',
    '@tanstack/react-query',
    '@libsql/client',
    '@opentelemetry/api',
    'react-dom',
    '@types/react-dom',
    '@testing-library/react',
    'msw',
    'vitest',
    'fast-check',
  ]
  const peers = needed.map((name) => `${name}@${versions[name]}`)
  const tarballs = packed.map(({ tarball }) => tarball)
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...tarballs, ...peers], folder)
  const tsc = join(root, 'node_modules/.bin/tsc')
  for (const [module, resolution] of [
    ['NodeNext', 'NodeNext'],
    ['ESNext', 'Bundler'],
  ]) {
    const options = ['--module', `${module}`, '--moduleResolution', `${resolution}`, '--target', 'es2022', '--strict']
    const libraries = [
      '--lib',
      'es2023,dom,dom.iterable,dom.asynciterable',
      '--skipLibCheck',
      'false',
      '--types',
      'node',
    ]
    await run(tsc, [...options, ...libraries, '--outDir', 'out', 'consumer.ts'], folder)
  }
  console.log(await run('node', ['out/consumer.js'], folder))
}

/** @type {(place: string) => Promise<Manifest>} */
async function readManifest(place) {
  return JSON.parse(await readFile(join(place, 'package.json'), 'utf8'))
}
