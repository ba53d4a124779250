/**
 * The native TensorFlow runtime, looked for in this order: a folder the user names (NORMFORGE_TENSORFLOW);
 * tfjs-node-gpu's own download; PyPI's wheel. What is found is kept in the cache folder, keyed by version.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { compileAddon, librariesIn, linkAddon, probeAddon, requireCompiler } from './addon.ts'
import { download } from './download.ts'
import { fetchWheels } from './fetch.ts'
import { installed } from './installed.mjs'
import { damagedFiles, isWhole, writeManifest } from './manifest.mjs'
import { ADDON, hasNvidiaDriver, TFJS } from './places.mjs'
import { cacheFolder, root, say, SetupError } from './process.mjs'
import { bytesNeeded, TENSORFLOW_VERSION, wheelsFor, type Device } from './wheels.ts'

const ADDON_NAME = 'tfjs_binding.node'
/** The official download is a matter of seconds before its first byte, or its host can't be reached. */
const OFFICIAL_PATIENCE_SECONDS = 45

type Runtime = {
  readonly folder: string
  make(temporary: string): Promise<void>
}

/** Libraries the user has; only the addon is ours. A new library at the same place gets a new addon. */
const namedRuntime = (named: string): Runtime => {
  const libraries = librariesIn(path.resolve(named))
  if (!libraries)
    throw new SetupError(
      `NORMFORGE_TENSORFLOW: needed a folder with libtensorflow's libraries and C headers, got ${named}`,
    )
  const { size, mtimeMs } = fs.statSync(libraries.files[0]!)
  const key = createHash('sha256').update(`${libraries.folder} ${size} ${mtimeMs}`).digest('hex').slice(0, 12)
  const folder = path.join(cacheFolder(), `addon-${key}`)
  return {
    folder,
    make: async (temporary) => {
      await compileAddon(libraries, path.join(temporary, ADDON_NAME))
      writeManifest(temporary, folder, 'folder')
    },
  }
}

const wheelRuntime = (device: Device): Runtime => {
  // The last number counts the ways in which the addon was built.
  const folder = path.join(cacheFolder(), `tensorflow-${TENSORFLOW_VERSION}-${device}-1`)
  return {
    folder,
    make: async (temporary) => {
      if (process.platform !== 'linux' || process.arch !== 'x64')
        throw new SetupError(
          `TensorFlow's wheel is for Linux x64, this is ${process.platform} ${process.arch}; name a folder with libtensorflow in NORMFORGE_TENSORFLOW`,
        )
      requireCompiler()
      await fetchWheels(temporary, wheelsFor(device), bytesNeeded(device))
      await compileAddon(librariesIn(temporary)!, path.join(temporary, ADDON_NAME))
      writeManifest(temporary, folder, 'wheel')
    },
  }
}

const officialMark = (): string => path.join(cacheFolder(), 'official-download-failed')
/** tfjs-node-gpu's own script leaves a file, set-up leaves a link. */
const isOfficial = (): boolean => fs.lstatSync(ADDON, { throwIfNoEntry: false })?.isFile() ?? false

/** tfjs-node-gpu's install script, tried once a machine; it leaves the addon in place itself. */
const officialDownload = async (): Promise<boolean> => {
  if (isOfficial()) return true
  if (fs.existsSync(officialMark())) return false
  const { code } = await download({
    label: "tfjs-node-gpu's own download",
    program: process.execPath,
    args: ['scripts/install.js', 'gpu', 'download'],
    folders: [path.join(TFJS, 'deps'), path.join(TFJS, 'lib')],
    patienceSeconds: OFFICIAL_PATIENCE_SECONDS,
    options: { cwd: TFJS },
  })
  if (code === 0 && isOfficial() && probeAddon() === null) return true
  say("tfjs-node-gpu's own download is not to be had; taking TensorFlow's wheel")
  fs.rmSync(path.dirname(ADDON), { recursive: true, force: true })
  fs.rmSync(path.join(TFJS, 'deps'), { recursive: true, force: true })
  fs.mkdirSync(cacheFolder(), { recursive: true })
  fs.writeFileSync(officialMark(), new Date().toISOString())
  return false
}

const isLinkedTo = (folder: string): boolean =>
  fs.lstatSync(ADDON, { throwIfNoEntry: false })?.isSymbolicLink() === true &&
  fs.readlinkSync(ADDON) === path.join(folder, ADDON_NAME)

/** Makes `require('@tensorflow/tfjs-node-gpu')` work. Costs milliseconds once it does. */
export const ensureTensorFlow = async (): Promise<void> => {
  const named = process.env.NORMFORGE_TENSORFLOW
  if (!named && isOfficial()) return
  const runtime = named ? namedRuntime(named) : wheelRuntime(hasNvidiaDriver() ? 'gpu' : 'cpu')
  const { folder } = runtime
  if (isLinkedTo(folder) && isWhole(folder)) return
  if (!named && !fs.existsSync(folder)) {
    const official = await installed.locked(path.join(root, '.out', 'official.lock'), officialDownload)
    if (official) return
  }
  await installed.folderOnce(folder, runtime.make, isWhole)
  linkAddon(path.join(folder, ADDON_NAME))
  const wrong = probeAddon()
  if (wrong === null) return
  fs.rmSync(ADDON)
  const damaged = damagedFiles(folder)
  throw new SetupError(
    damaged.length > 0
      ? `${damaged.join(', ')}: the checksum is not the one it was installed with; remove ${folder} and start again`
      : `the TensorFlow runtime in ${folder} does not load: ${wrong}`,
  )
}
