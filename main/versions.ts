import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'

const versionIn = (url: URL): string => (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version

export const version = versionIn(new URL('../package.json', import.meta.url))

const tfjsVersion = (): string => {
  const file = createRequire(import.meta.url).resolve('@tensorflow/tfjs-node-gpu/package.json')
  return versionIn(new URL(`file://${file}`))
}

/** What a search is made with, label to value; kept with the search. */
export const madeBy = (): Record<string, string> => ({
  NormForge: version,
  Node: process.version,
  'TensorFlow.js': tfjsVersion(),
  processor: cpus()[0]?.model.trim() ?? 'unknown',
})
