/**
 * The native TensorFlow runtime: a folder the user names (NORMFORGE_TENSORFLOW), else PyPI's wheel, pinned by checksum.
 * What is found is kept in the cache folder, keyed by version. tfjs-node-gpu's own script is never run: it checks nothing of
 * what it downloads.
 */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { compileAddon, librariesIn, linkAddon, probeAddon, requireCompiler } from './addon.ts'
import { fetchWheels } from './fetch.ts'
import { installed } from './installed.mjs'
import { damagedFiles, isWhole, writeManifest } from './manifest.mjs'
import { ADDON, hasNvidiaDriver } from './places.mjs'
import { platformObstacle } from './platform.mjs'
import { cacheFolder, madeCacheFolder, SetupError } from './process.mjs'
import { bytesNeeded, TENSORFLOW_VERSION, wheelsFor, type Device } from './wheels.ts'

const ADDON_NAME = 'tfjs_binding.node'

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
      const obstacle = platformObstacle()
      if (obstacle !== null) throw new SetupError(obstacle)
      requireCompiler()
      await fetchWheels(temporary, wheelsFor(device), bytesNeeded(device))
      await compileAddon(librariesIn(temporary)!, path.join(temporary, ADDON_NAME))
      writeManifest(temporary, folder, 'wheel')
    },
  }
}

/** The folder of the published libraries for a device, fetched where they are not there yet, whatever this machine has. */
export const runtimeFolder = async (device: Device): Promise<string> => {
  const { folder, make } = wheelRuntime(device)
  madeCacheFolder()
  await installed.folderOnce(folder, make, isWhole)
  return folder
}

const isLinkedTo = (folder: string): boolean =>
  fs.lstatSync(ADDON, { throwIfNoEntry: false })?.isSymbolicLink() === true &&
  fs.readlinkSync(ADDON) === path.join(folder, ADDON_NAME)

/** Makes `require('@tensorflow/tfjs-node-gpu')` work. Costs milliseconds once it does. */
export const ensureTensorFlow = async (): Promise<void> => {
  const named = process.env.NORMFORGE_TENSORFLOW
  const runtime = named ? namedRuntime(named) : wheelRuntime(hasNvidiaDriver() ? 'gpu' : 'cpu')
  const { folder } = runtime
  if (isLinkedTo(folder) && isWhole(folder)) return
  madeCacheFolder()
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
