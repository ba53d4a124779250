/** What this machine has for NormForge: for `npm run doctor` and the page's settings. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { ADDON } from './addon.ts'
import { electronBinary } from './electron.ts'
import { cacheFolder, has, root } from './process.mjs'
import { damagedFiles, readManifest } from './tensorflow.ts'
import { TENSORFLOW_VERSION } from './wheels.ts'

export type Fact = { readonly label: string; readonly value: string; readonly ok: boolean }

const fact = (label: string, value: string, ok = true): Fact => ({ label, value, ok })
const versionOf = (program: string, args = ['--version']): string | null => {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' })
  return status === 0 ? (stdout.split('\n')[0] ?? '').trim() : null
}
const tool = (label: string, program: string, cure: string, args?: string[]): Fact => {
  const version = versionOf(program, args)
  return fact(label, version ?? `missing: ${cure}`, version !== null)
}

const gpu = (): Fact => {
  if (!has('nvidia-smi', ['-L'])) return fact('GPU', 'no NVIDIA driver: the CPU is used')
  const query = ['--query-gpu=name,memory.total', '--format=csv,noheader']
  return fact('GPU', versionOf('nvidia-smi', query) ?? 'the NVIDIA driver does not answer')
}

const runtime = (thorough: boolean): Fact => {
  if (!fs.existsSync(ADDON)) return fact('TensorFlow runtime', 'not set up yet: "npm start" does', false)
  const addon = fs.realpathSync(ADDON)
  const found = readManifest(path.dirname(addon))
  if (!found) return fact('TensorFlow runtime', "tfjs-node-gpu's own download")
  const damaged = thorough ? damagedFiles(found) : []
  if (damaged.length > 0)
    return fact('TensorFlow runtime', `damaged: ${damaged.join(', ')}; remove ${found.folder}`, false)
  const from =
    found.source === 'wheel' ? `TensorFlow ${TENSORFLOW_VERSION} wheel` : 'the folder named by the user'
  return fact('TensorFlow runtime', `${from}, in ${found.folder}${thorough ? ', checksums right' : ''}`)
}

/** All facts, in order. `thorough` also verifies the runtime's checksums, which takes seconds. */
export const examine = (dataFolder: string, thorough = false): Fact[] => {
  const cpu = os.cpus()[0]?.model.trim() ?? 'unknown'
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    version: string
  }
  return [
    fact('NormForge', version),
    fact('Node', process.version),
    fact('System', `${os.type()} ${os.release()} ${os.arch()}`),
    fact('Processor', `${cpu}, ${os.availableParallelism()} threads`),
    fact('Memory', `${(os.totalmem() / 2 ** 30).toFixed(1)} GiB`),
    gpu(),
    runtime(thorough),
    tool('Python', 'python3', 'install Python 3 (Debian: apt-get install python3 python3-pip)'),
    tool('pip', 'python3', 'install pip (Debian: apt-get install python3-pip)', ['-m', 'pip', '--version']),
    tool('C++ compiler', process.env.CXX ?? 'g++', 'install one (Debian: apt-get install g++)'),
    fact('Electron', electronBinary() ?? 'binary not there: the workbench opens in the browser'),
    fact('Cache folder', cacheFolder()),
    fact('Data folder', dataFolder),
  ]
}

export const printDoctor = (facts: readonly Fact[], json: boolean): void => {
  if (json) {
    console.log(JSON.stringify(facts, null, 2))
    return
  }
  const width = Math.max(...facts.map(({ label }) => label.length))
  for (const { label, value, ok } of facts) console.log(`${ok ? ' ' : '!'} ${label.padEnd(width)}  ${value}`)
}
