// What this machine has for NormForge, for `npm run doctor` and the page's settings. Plain JavaScript without
// dependencies: it works on any Node, before anything is installed.
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { verdictOn } from './illegal.mjs'
import { machineFile, processor } from './machine.mjs'
import { damagedFiles, isWhole, readManifest } from './manifest.mjs'
import { findNode24 } from './node24.mjs'
import { ADDON, electronBinary, hasNvidiaDriver, KERNELS, kernelsAreOurs } from './places.mjs'
import { cacheFolder, root, runQuietly, say, sentenceOf } from './process.mjs'
import { levelOf } from './processor.mjs'
import { switchesSet } from './switches.mjs'
import { describeSplit } from './workers.mjs'

/** @typedef {{ readonly label: string, readonly value: string, readonly ok: boolean }} Fact */

/** @param {string} label @param {string} value @returns {Fact} */
const fact = (label, value, ok = true) => ({ label, value, ok })

/** The first line that a program prints; null where it can't be run. @param {string} program @param {string[]} args */
const firstLine = async (program, args) => {
  const { code, output } = await runQuietly(program, args)
  return code === 0 ? (output.split('\n')[0] ?? '').trim() : null
}

/** @param {string} label @param {string} cure @param {string} program @param {string[]} args */
const tool = async (label, cure, program, ...args) => {
  const version = await firstLine(program, args)
  return fact(label, version ?? `missing: ${cure}`, version !== null)
}

const node = () => {
  const found = findNode24()
  if (found === process.execPath) return fact('Node', process.version)
  return fact(
    'Node',
    `${process.version}; ${found ?? 'Node 24, which is needed, comes with the first start'}`,
  )
}

const gpu = async () => {
  if (!hasNvidiaDriver()) return fact('GPU', 'no NVIDIA driver: the CPU is used')
  const query = ['--query-gpu=name,memory.total', '--format=csv,noheader']
  const named = await firstLine('nvidia-smi', query)
  return fact('GPU', named ?? 'the NVIDIA driver does not answer', named !== null)
}

/** What can be asked for on a GPU. */
const gpuOptions = () => {
  if (!hasNvidiaDriver()) return []
  const xla = fs.existsSync(machineFile('xla.json'))
    ? 'where measured to pay'
    : 'where "npm run bench -- tune" finds that it pays'
  return [fact('GPU options', `--mixed-precision; --xla, else ${xla}; both were tested on processors only`)]
}

/** @param {boolean} thorough */
const runtime = (thorough) => {
  const label = 'TensorFlow runtime'
  const folder = fs.existsSync(ADDON) ? path.dirname(fs.realpathSync(ADDON)) : null
  const manifest = folder === null ? null : readManifest(folder)
  if (folder === null || manifest === null) return fact(label, 'not set up yet: "npm start" does', false)
  const damaged = thorough ? damagedFiles(folder) : isWhole(folder) ? [] : [folder]
  if (damaged.length > 0) return fact(label, `damaged: ${damaged.join(', ')}; remove ${folder}`, false)
  const from = manifest.source === 'wheel' ? "TensorFlow's wheel" : 'the folder that the user names'
  return fact(label, `from ${from}, in ${folder}${thorough ? ', checksums right' : ''}`)
}

/** Their absence is no fault: the engine then works by TensorFlow's ops alone. */
const kernels = () => {
  const label = "Engine's kernels"
  if (!fs.existsSync(KERNELS)) return fact(label, "not compiled: TensorFlow's ops are used, more slowly")
  if (process.env.NORMFORGE_KERNELS === '0')
    return fact(label, 'compiled, but NORMFORGE_KERNELS=0 does without')
  if (!kernelsAreOurs())
    return fact(label, 'compiled on another processor, so left out: "npm start" compiles them anew')
  const folder = path.dirname(fs.realpathSync(KERNELS))
  if (verdictOn(folder) !== 'fine')
    return fact(label, 'left out: a worker met an illegal instruction; "npm start" compiles them anew', false)
  return fact(label, `compiled, in ${folder}`)
}

/** A Node that knows where the data folder is can read its files' TypeScript, too. @param {string} dataFolder */
const workersLog = async (dataFolder) => {
  const { lastLine, logFile, logsIn } = await import('../workers/log.ts')
  const folder = logsIn(dataFolder)
  const label = "Workers' log"
  if (!fs.existsSync(logFile(folder))) return fact(label, `none yet; comes to lie in ${folder}`)
  const warning = lastLine(folder, 'warning')
  return fact(
    label,
    `${logFile(folder)}; ${warning === null ? 'no warnings' : `the last warning: ${warning}`}`,
  )
}

const switches = () => {
  const { set, unknown } = switchesSet()
  const text = set.length > 0 ? set.join(', ') : 'none set'
  if (unknown.length === 0) return fact('Environment', text)
  return fact('Environment', `${text}; not known: ${unknown.join(', ')} (--help lists them)`, false)
}

/**
 * All facts, in order. `thorough` also verifies the runtime's checksums, which takes seconds.
 * @param {string | null} dataFolder @param {boolean} [thorough] @param {import('./workers.mjs').Given} [given] what the
 * user says of workers
 */
export const examine = async (dataFolder, thorough = false, given = {}) => {
  const { version } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'))
  const installed = fs.existsSync(path.join(root, 'node_modules'))
  return [
    fact('NormForge', version),
    node(),
    fact('System', `${os.type()} ${os.release()} ${os.arch()}`),
    fact('Processor', [processor(), levelOf()].filter(Boolean).join(', ')),
    fact('Memory', `${(os.totalmem() / 2 ** 30).toFixed(1)} GiB`),
    await gpu(),
    ...gpuOptions(),
    fact('Packages', installed ? 'installed' : 'not set up yet: "npm start" does', installed),
    runtime(thorough),
    kernels(),
    fact('Workers', describeSplit(given)),
    await tool(
      'Python',
      'install Python 3 (Debian: apt-get install python3 python3-pip)',
      'python3',
      '--version',
    ),
    await tool(
      'pip',
      'install pip (Debian: apt-get install python3-pip)',
      'python3',
      '-m',
      'pip',
      '--version',
    ),
    await tool(
      'C++ compiler',
      'install one (Debian: apt-get install g++)',
      process.env.CXX ?? 'g++',
      '--version',
    ),
    fact('Electron', electronBinary() ?? 'its binary is not there: the workbench opens in the browser'),
    switches(),
    fact('Cache folder', cacheFolder()),
    ...(dataFolder === null ? [] : [fact('Data folder', dataFolder), await workersLog(dataFolder)]),
  ]
}

/** @param {readonly Fact[]} facts @param {boolean} json */
export const printDoctor = (facts, json) => {
  if (json) {
    console.log(JSON.stringify(facts, null, 2))
    return
  }
  const width = Math.max(...facts.map(({ label }) => label.length))
  for (const { label, value, ok } of facts) console.log(`${ok ? ' ' : '!'} ${label.padEnd(width)}  ${value}`)
}

/** `npm run doctor`. An older Node can't read the file that says where searches are kept. @param {string[]} args */
export const doctor = async (args) => {
  const typescript = 'typescript' in process.features && process.features.typescript !== false
  const dataFolder = typescript ? (await import('../store/folder.ts')).defaultDataFolder() : null
  printDoctor(await examine(dataFolder, true), args.includes('--json'))
}

if (process.argv[1] === import.meta.filename)
  try {
    await doctor(process.argv.slice(2))
  } catch (error) {
    const sentence = sentenceOf(error)
    if (sentence === null) throw error
    say(sentence)
    process.exitCode = 1
  }
