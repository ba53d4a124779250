import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { diskSentence, homeFolder, makeFolder } from './disk.mjs'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')

/** What is missing on this machine, in one sentence that says how to get it. */
export class SetupError extends Error {}

/** Where what set-up fetches and builds is kept. */
export const cacheFolder = () => {
  const { NORMFORGE_CACHE: named, XDG_CACHE_HOME: xdg } = process.env
  if (named) return path.resolve(named)
  // The XDG specification: a path that is not absolute is ignored.
  if (xdg && path.isAbsolute(xdg)) return path.join(xdg, 'normforge')
  const home = homeFolder()
  if (home === null)
    throw new SetupError('no home folder is known here: set NORMFORGE_CACHE to a folder for what is fetched')
  return path.join(path.resolve(home), '.cache', 'normforge')
}

/** The cache folder, made where it is missing. */
export const madeCacheFolder = () => {
  const folder = cacheFolder()
  try {
    makeFolder(folder)
    fs.accessSync(folder, fs.constants.W_OK)
  } catch (error) {
    const sentence = diskSentence(error)
    if (sentence === null) throw error
    throw new SetupError(
      `${sentence}; it is the folder for what is fetched: set NORMFORGE_CACHE to another one`,
    )
  }
  return folder
}

/** @type {(text: string, share: number | null) => void} */
let listener = () => undefined

/** Who else is told what set-up does: `share` is 0..1, null where it isn't known. @param {typeof listener} heard */
export const hearSetup = (heard) => {
  listener = heard
}

/** Set-up speaks on stderr, so that `--json` on stdout stays JSON. @param {string} text */
export const say = (text) => {
  listener(text, null)
  process.stderr.write(`normforge: ${text}\n`)
}

/**
 * How far a download got: on a terminal in a line that is written over.
 * @param {string} label @param {number} bytes @param {number | null} of
 */
export const sayBytes = (label, bytes, of) => {
  listener(label, of ? Math.min(1, bytes / of) : null)
  if (!process.stderr.isTTY) return
  const all = of ? ` of ${of.toLocaleString('en')}` : ''
  process.stderr.write(`\r\x1b[Knormforge: ${label}: ${bytes.toLocaleString('en')}${all} bytes`)
}

/** Whether a program can be started. @param {string} program */
export const has = (program, args = ['--version']) =>
  spawnSync(program, args, { stdio: 'ignore' }).status === 0

/** A program's own file, looked for as the shell does; null where there is none. @param {string} program */
export const findProgram = (program) => {
  const folders = program.includes('/') ? [''] : (process.env.PATH ?? '').split(path.delimiter)
  for (const folder of folders) {
    const file = path.resolve(folder, program)
    if (fs.statSync(file, { throwIfNoEntry: false })?.isFile()) return fs.realpathSync(file)
  }
  return null
}

/**
 * How to start npm: the one that started this, else the one on PATH; null where there is none.
 * @returns {[program: string, ...args: string[]] | null}
 */
export const npm = () => {
  const own = process.env.npm_execpath
  if (own && path.basename(own).startsWith('npm-cli')) return [process.execPath, own]
  return has('npm') ? ['npm'] : null
}

/** An error as its one sentence, where the user can put it right; null for a fault of the program. @param {unknown} error */
export const sentenceOf = (error) => (error instanceof SetupError ? error.message : diskSentence(error))

/** @param {string} folder @param {number} bytes */
export const requireSpace = (folder, bytes) => {
  const { bavail, bsize } = fs.statfsSync(folder)
  const gigabytes = (/** @type {number} */ n) => (n / 1e9).toFixed(1)
  if (bavail * bsize < bytes)
    throw new SetupError(
      `${folder} has ${gigabytes(bavail * bsize)} GB free, ${gigabytes(bytes)} GB are needed: free some, or set NORMFORGE_CACHE to a folder on another disk`,
    )
}

/**
 * Runs a program in this one's place: its terminal, arguments, signals and exit code pass through.
 * @param {string} program @param {string[]} args @returns {Promise<number>}
 */
export const spawnThrough = (program, args, env = process.env) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env, cwd: process.cwd() })
    /** @param {NodeJS.Signals} signal */
    const pass = (signal) => child.kill(signal)
    // A terminal sends Ctrl-C to the whole group; passing it on would make it two.
    const ignore = () => undefined
    process.on('SIGINT', process.stdin.isTTY ? ignore : pass)
    process.on('SIGTERM', pass)
    child.on('error', reject)
    child.on('exit', (code, signal) =>
      resolve(code ?? 128 + (os.constants.signals[signal ?? 'SIGTERM'] ?? 0)),
    )
  })

/**
 * Runs a program quietly; gives its exit code and the end of what it printed.
 * @param {string} program @param {string[]} args @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export const runQuietly = (program, args, options = {}) =>
  new Promise((resolve) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    /** @param {Buffer} chunk */
    const keep = (chunk) => {
      output = (output + chunk.toString()).slice(-4000)
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    child.on('error', (error) => resolve({ code: 127, output: error.message }))
    child.on('exit', (code) => resolve({ code: code ?? 1, output }))
  })
