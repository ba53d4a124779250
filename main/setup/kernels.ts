/**
 * The engine's own TensorFlow kernels (main/engine/native), compiled for this very processor and kept in the cache
 * folder. Without them the engine works by TensorFlow's ops alone, more slowly: that they can't be compiled is said, and
 * no error.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { compileAgainst, librariesIn, type Libraries } from './addon.ts'
import { verdictOn } from './illegal.mjs'
import { installed } from './installed.mjs'
import { ADDON, kernelsFor, KERNELS } from './places.mjs'
import { cacheFolder, findProgram, root, say, SetupError } from './process.mjs'

const SOURCES = path.join(root, 'main/engine/native')
/** NORMFORGE_MARCH compiles for another processor than this one ("x86-64-v3"), as far as this one can run it. */
const flags = (): string[] => flagsFor(process.env.NORMFORGE_MARCH ?? 'native')

/** The compiler's flags for a processor, by its name or level. */
export const flagsFor = (processor: string): string[] => [
  ...['-O3', `-march=${processor}`, '-fno-math-errno', '-fno-trapping-math'],
]

/** The libraries that tfjs-node's addon was made for. */
const libraries = (): Libraries | null => {
  const named = process.env.NORMFORGE_TENSORFLOW
  const beside = path.dirname(fs.realpathSync(ADDON))
  for (const place of named ? [path.resolve(named), beside] : [beside]) {
    const found = librariesIn(place)
    if (found) return found
  }
  return null
}

const shortHash = (parts: readonly unknown[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 12)

/** A compiler by its file: another version of it is another file. Empty where there is none. */
const compilerKey = (): string => {
  const file = findProgram(process.env.CXX ?? 'g++')
  if (file === null) return ''
  const { size, mtimeMs } = fs.statSync(file)
  return shortHash([file, size, mtimeMs])
}

/**
 * The folder of the compiled kernels, whose name has all that they depend on: the processor, sources, flags and
 * libraries, and the compiler. Where the compiler is gone, what any compiler made of the same will do.
 */
const folderFor = ({ files }: Libraries): string => {
  const sources = fs.readdirSync(SOURCES).sort()
  const { size, mtimeMs } = fs.statSync(files[0]!)
  const made = shortHash([
    ...sources.flatMap((name) => [name, fs.readFileSync(path.join(SOURCES, name), 'utf8')]),
    ...[...flags(), files[0], size, mtimeMs],
  ])
  const name = `${kernelsFor()}${made}-`
  const compiler = compilerKey()
  if (compiler !== '') return path.join(cacheFolder(), name + compiler)
  const kept = fs.existsSync(cacheFolder()) ? fs.readdirSync(cacheFolder()) : []
  const other = kept.find((folder) => folder.startsWith(name) && !folder.includes('.'))
  return path.join(cacheFolder(), other ?? `${name}none`)
}

const compile = async (libraries: Libraries, to: string): Promise<void> => {
  say("compiling the engine's kernels")
  const sources = [path.join(SOURCES, 'addon.cc')]
  const error = await compileAgainst(libraries, { sources, flags: flags(), to })
  if (error !== null) throw new SetupError(`they don't compile: ${error}`)
}

/** Makes the kernels ready where the engine looks for them (`KERNELS`). Costs milliseconds once they are. */
export const ensureKernels = async (): Promise<void> => {
  try {
    const found = libraries()
    if (!found) throw new SetupError("TensorFlow's C headers are not to be found")
    const folder = folderFor(found)
    const file = path.join(folder, path.basename(KERNELS))
    if (verdictOn(folder) === 'hopeless')
      throw new SetupError('compiled anew, they still held an instruction that this processor lacks')
    await installed.folderOnce(
      folder,
      (temporary) => compile(found, path.join(temporary, path.basename(KERNELS))),
      (at) => fs.existsSync(at) && verdictOn(at) === 'fine',
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
