/**
 * The engine's own TensorFlow kernels (main/engine/native), compiled for this very processor and kept in the cache
 * folder. Without them the engine works by TensorFlow's ops alone, more slowly: that they can't be compiled is said, and
 * no error.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { librariesIn, requireCompiler, type Libraries } from './addon.ts'
import { installed } from './installed.mjs'
import { ADDON, KERNELS, TFJS } from './places.mjs'
import { cacheFolder, root, runQuietly, say, SetupError } from './process.mjs'

const SOURCES = path.join(root, 'main/engine/native')
const FLAGS = ['-O3', '-march=native', '-std=c++17', '-fno-math-errno', '-fno-trapping-math']

/** The libraries that tfjs-node's addon was made for. */
const libraries = (): Libraries | null => {
  const named = process.env.NORMFORGE_TENSORFLOW
  const places = [path.dirname(fs.realpathSync(ADDON)), path.join(TFJS, 'deps')]
  for (const place of named ? [path.resolve(named), ...places] : places) {
    const found = librariesIn(place)
    if (found) return found
  }
  return null
}

/** What the compiled kernels depend on: sources, flags, processor, libraries. */
const keyOf = ({ files }: Libraries): string => {
  const hash = createHash('sha256')
  for (const name of fs.readdirSync(SOURCES).sort()) hash.update(fs.readFileSync(path.join(SOURCES, name)))
  const { size, mtimeMs } = fs.statSync(files[0]!)
  hash.update([...FLAGS, os.cpus()[0]?.model, process.arch, files[0], size, mtimeMs].join('\n'))
  return hash.digest('hex').slice(0, 12)
}

const compile = async ({ folder, files, include }: Libraries, to: string): Promise<void> => {
  const compiler = requireCompiler()
  say("compiling the engine's kernels")
  const { code, output } = await runQuietly(compiler, [
    ...FLAGS,
    ...['-shared', '-fPIC', '-DNAPI_VERSION=8'],
    `-I${path.join(root, 'node_modules/node-api-headers/include')}`,
    `-I${include}`,
    path.join(SOURCES, 'addon.cc'),
    ...['-o', to],
    ...files,
    `-Wl,-rpath,${folder}`,
  ])
  if (code === 0) return
  const first = output.split('\n').find((line) => line.includes('error')) ?? output.trim()
  throw new SetupError(`they don't compile with ${compiler}: ${first}`)
}

/** Makes the kernels ready where the engine looks for them (`KERNELS`). Costs milliseconds once they are. */
export const ensureKernels = async (): Promise<void> => {
  try {
    const found = libraries()
    if (!found) throw new SetupError("TensorFlow's C headers are not to be found")
    const folder = path.join(cacheFolder(), `kernels-${keyOf(found)}`)
    const file = path.join(folder, path.basename(KERNELS))
    await installed.folderOnce(folder, (temporary) =>
      compile(found, path.join(temporary, path.basename(KERNELS))),
    )
    const current = fs.lstatSync(KERNELS, { throwIfNoEntry: false })
    if (current?.isSymbolicLink() && fs.readlinkSync(KERNELS) === file) return
    const temporary = `${KERNELS}.${process.pid}`
    fs.symlinkSync(file, temporary)
    fs.renameSync(temporary, KERNELS)
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    fs.rmSync(KERNELS, { force: true })
    say(`going without the engine's own kernels, more slowly: ${error.message}`)
  }
}
