import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { makeFolder } from './disk.mjs'
import { ADDON, TFJS } from './places.mjs'
import { has, root, runQuietly, say, SetupError } from './process.mjs'

export type Libraries = {
  readonly folder: string
  readonly files: readonly string[]
  readonly include: string
}

/** TensorFlow's libraries below a folder: a Python package's, or an unpacked libtensorflow's. */
export const librariesIn = (folder: string): Libraries | null => {
  for (const lib of [folder, path.join(folder, 'tensorflow'), path.join(folder, 'lib')])
    for (const main of ['libtensorflow_cc.so.2', 'libtensorflow.so.2']) {
      const files = [main, 'libtensorflow_framework.so.2'].map((name) => path.join(lib, name))
      const include = [path.join(lib, 'include'), path.join(folder, 'include')].find((at) =>
        fs.existsSync(path.join(at, 'tensorflow/c/c_api.h')),
      )
      if (include && files.every((file) => fs.existsSync(file))) return { folder: lib, files, include }
    }
  return null
}

/** The C++ compiler's name, once it is known to be there. */
export const requireCompiler = (): string => {
  const compiler = process.env.CXX ?? 'g++'
  if (!has(compiler))
    throw new SetupError(`a C++ compiler (${compiler}) is missing; install one (Debian: apt-get install g++)`)
  return compiler
}

/**
 * Where an addon looks for the libraries at run time, from its own folder on: libraries elsewhere get a link there, since
 * their own path could hold a colon or a "$", which the loader reads otherwise.
 */
const besideAddon = (addon: string, libraries: string): string => {
  const folder = path.dirname(addon)
  const inside = path.relative(folder, libraries)
  if (!inside.startsWith('..')) return inside
  fs.symlinkSync(libraries, path.join(folder, 'libraries'))
  return 'libraries'
}

/** Compiles C++ sources against the libraries to a Node addon, `to`. Gives the first error; null when all is well. */
export const compileAgainst = async (
  { folder, files, include }: Libraries,
  { sources, flags, to }: { sources: readonly string[]; flags: readonly string[]; to: string },
): Promise<string | null> => {
  const { code, output } = await runQuietly(requireCompiler(), [
    ...flags,
    ...['-std=c++17', '-shared', '-fPIC', '-DNAPI_VERSION=8'],
    `-I${path.join(root, 'node_modules/node-api-headers/include')}`,
    `-I${include}`,
    ...sources,
    ...['-o', to],
    ...files,
    `-Wl,-rpath,$ORIGIN/${besideAddon(to, folder)}`,
  ])
  return code === 0 ? null : (output.split('\n').find((line) => line.includes('error')) ?? output.trim())
}

/** Compiles tfjs-node's C++ sources. */
export const compileAddon = async (libraries: Libraries, to: string): Promise<void> => {
  say('compiling the TensorFlow addon')
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => path.join(TFJS, 'binding', name))
  const error = await compileAgainst(libraries, { sources, flags: ['-O2'], to })
  if (error !== null) throw new SetupError(`the TensorFlow addon doesn't compile: ${error}`)
}

/** Puts an addon where tfjs-node looks for it, in one step. */
export const linkAddon = (addon: string): void => {
  const current = fs.lstatSync(ADDON, { throwIfNoEntry: false })
  if (current?.isSymbolicLink() && fs.readlinkSync(ADDON) === addon) return
  makeFolder(path.dirname(ADDON))
  const temporary = `${ADDON}.${process.pid}`
  fs.symlinkSync(addon, temporary)
  fs.renameSync(temporary, ADDON)
}

const PROBE = `
const util = require('util')
util.isNullOrUndefined ??= (v) => v == null
util.isArray ??= Array.isArray
const tf = require('@tensorflow/tfjs-node-gpu')
if (tf.add(1, 2).dataSync()[0] !== 3) process.exit(2)
`

/** Whether the linked addon loads and adds; the reason where it does not. */
export const probeAddon = (): string | null => {
  const probe = spawnSync(process.execPath, ['-e', PROBE], { cwd: root, encoding: 'utf8', timeout: 60_000 })
  if (probe.status === 0) return null
  const lines = (probe.stderr ?? '').split('\n')
  return lines.find((line) => line.includes('Error')) ?? `exit ${probe.status ?? probe.signal}`
}
