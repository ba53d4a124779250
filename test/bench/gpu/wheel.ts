/** TensorFlow's libraries for a GPU, on a machine that need not have one. */
import fs from 'node:fs'
import path from 'node:path'
import { librariesIn, type Libraries } from '../../../main/setup/addon.ts'
import { fetchWheels } from '../../../main/setup/fetch.ts'
import { installed } from '../../../main/setup/installed.mjs'
import { ADDON } from '../../../main/setup/places.mjs'
import { madeCacheFolder } from '../../../main/setup/process.mjs'
import { TENSORFLOW_VERSION, wheelsFor } from '../../../main/setup/wheels.ts'

/** The wheel and what is kept of it, unpacked. */
const BYTES = 2e9

/** The wheel's libraries alone, without CUDA's: enough to say what kernels they have. Fetched once, 0.6 GB. */
export const fetchGpuLibraries = async (): Promise<Libraries> => {
  const folder = path.join(madeCacheFolder(), `tensorflow-${TENSORFLOW_VERSION}-gpu-libraries`)
  await installed.folderOnce(
    folder,
    (temporary) => fetchWheels(temporary, wheelsFor('gpu').slice(0, 1), BYTES),
    (at) => librariesIn(at) !== null,
  )
  return librariesIn(folder)!
}

/** Those that the engine runs on; null where they are the user's own, without headers. */
export const installedLibraries = (): Libraries | null => librariesIn(path.dirname(fs.realpathSync(ADDON)))
