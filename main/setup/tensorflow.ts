/**
 * The native TensorFlow runtime, looked for in this order: a folder the user names (NORMFORGE_TENSORFLOW);
 * tfjs-node-gpu's own download; PyPI's wheel. What is found is kept in the cache folder, keyed by version.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { ADDON, compileAddon, librariesIn, linkAddon, probeAddon } from './addon.ts'
import { fetchLibraries, hasNvidiaDriver, sha256 } from './fetch.ts'
import { installed } from './installed.mjs'
import { cacheFolder, root, runQuietly, say, SetupError } from './process.mjs'
import { TENSORFLOW_VERSION } from './wheels.ts'

export type Found = {
  readonly source: 'folder' | 'official' | 'wheel'
  readonly folder: string
  /** SHA-256 by file, relative to the folder. */
  readonly files: Readonly<Record<string, string>>
}
const ADDON_NAME = 'tfjs_binding.node'
const MANIFEST = 'manifest.json'

const wheelFolder = (device: 'cpu' | 'gpu'): string =>
  path.join(cacheFolder(), `tensorflow-${TENSORFLOW_VERSION}-${device}-1`)
const officialMark = (): string => path.join(cacheFolder(), 'official-download-failed')

export const readManifest = (folder: string): Found | null => {
  const file = path.join(folder, MANIFEST)
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Found) : null
}

const writeManifest = (temporary: string, folder: string, source: Found['source']): void => {
  const files = fs
    .readdirSync(temporary, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(so|node)/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name))
  const sums = Object.fromEntries(files.map((file) => [path.relative(temporary, file), sha256(file)]))
  const found: Found = { source, folder, files: sums }
  fs.writeFileSync(path.join(temporary, MANIFEST), JSON.stringify(found, null, 2))
}

/** Files of a kept runtime whose checksum is no longer the one it was installed with. */
export const damagedFiles = (found: Found): string[] =>
  Object.entries(found.files).flatMap(([name, sum]) => {
    const file = path.join(found.folder, name)
    return fs.existsSync(file) && sha256(file) === sum ? [] : [file]
  })

const fromUsersFolder = async (named: string): Promise<string> => {
  const libraries = librariesIn(path.resolve(named))
  if (!libraries)
    throw new SetupError(
      `NORMFORGE_TENSORFLOW: needed a folder with libtensorflow's libraries and C headers, got ${named}`,
    )
  const key = createHash('sha256').update(libraries.folder).digest('hex').slice(0, 12)
  const folder = path.join(cacheFolder(), `addon-${key}`)
  await installed.folderOnce(folder, async (temporary) => {
    await compileAddon(libraries, path.join(temporary, ADDON_NAME), libraries.folder)
    writeManifest(temporary, folder, 'folder')
  })
  return folder
}

/** tfjs-node-gpu's install script; it leaves the addon in place itself. Given up when nothing comes for a while. */
const fromOfficialDownload = async (): Promise<boolean> => {
  if (fs.existsSync(officialMark())) return false
  const abort = AbortSignal.timeout(Number(process.env.NORMFORGE_OFFICIAL_SECONDS ?? 300) * 1000)
  const folder = path.join(root, 'node_modules/@tensorflow/tfjs-node-gpu')
  const { code } = await runQuietly(process.execPath, ['scripts/install.js', 'gpu', 'download'], {
    cwd: folder,
    signal: abort,
  })
  if (code === 0 && fs.existsSync(ADDON) && probeAddon() === null) return true
  say("tfjs-node-gpu's own download is not to be had; taking TensorFlow's wheel")
  fs.rmSync(path.dirname(ADDON), { recursive: true, force: true })
  fs.rmSync(path.join(folder, 'deps'), { recursive: true, force: true })
  fs.mkdirSync(cacheFolder(), { recursive: true })
  fs.writeFileSync(officialMark(), new Date().toISOString())
  return false
}

const fromWheel = async (): Promise<string> => {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new SetupError(
      `TensorFlow's wheel is for Linux x64, this is ${process.platform} ${process.arch}; name a libtensorflow folder in NORMFORGE_TENSORFLOW`,
    )
  const device = hasNvidiaDriver() ? 'gpu' : 'cpu'
  const folder = wheelFolder(device)
  await installed.folderOnce(folder, async (temporary) => {
    await fetchLibraries(temporary, device)
    await compileAddon(librariesIn(temporary)!, path.join(temporary, ADDON_NAME), '$ORIGIN/tensorflow')
    writeManifest(temporary, folder, 'wheel')
  })
  return folder
}

/** Makes `require('@tensorflow/tfjs-node-gpu')` work. Costs milliseconds once it does. */
export const ensureTensorFlow = async (): Promise<void> => {
  const named = process.env.NORMFORGE_TENSORFLOW
  const current = fs.existsSync(ADDON) ? fs.realpathSync(ADDON) : null
  if (!named && current && !fs.lstatSync(ADDON).isSymbolicLink()) return
  if (!named && current && readManifest(path.dirname(current))?.source === 'wheel') return
  if (
    !named &&
    !librariesCached() &&
    (await installed.locked(path.join(root, '.out', 'official.lock'), fromOfficialDownload))
  )
    return
  const folder = named ? await fromUsersFolder(named) : await fromWheel()
  linkAddon(path.join(folder, ADDON_NAME))
  const wrong = probeAddon()
  if (wrong !== null)
    throw new SetupError(
      `the TensorFlow runtime in ${folder} does not load: ${wrong}; remove that folder and start again`,
    )
}

const librariesCached = (): boolean => fs.existsSync(wheelFolder(hasNvidiaDriver() ? 'gpu' : 'cpu'))
