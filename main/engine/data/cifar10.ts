import path from 'node:path'
import { createRandom } from '../../../shared/random.ts'
import type { DataConfig } from '../../../shared/records.ts'
import { kindAt, readBytes, readFolder, readText, withFile, type Reader } from '../../files.ts'
import { shrink, split, type DataSet, type ImageSet } from './dataset.ts'

const SIDE = 32
const PLANE = SIDE * SIDE
/** One label byte, then the red, green and blue planes. */
const RECORD = 1 + 3 * PLANE
const NAMES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']

const WHO = 'CIFAR-10'
const BATCHES: Reader = { who: WHO, most: 2 ** 32 }

/** The training files of a folder with CIFAR-10's binary version; any number of them. */
const trainingFiles = (folder: string): string[] => {
  const files = readFolder(folder, WHO).filter(({ name }) => /^data_batch.*\.bin$/.test(name))
  if (files.length === 0) throw new Error(`CIFAR-10: needed data_batch_*.bin files in ${folder}, found none`)
  return files.map(({ name }) => path.join(folder, name))
}

/** How many records a file of so many bytes has. */
const recordsIn = (file: string, bytes: number): number => {
  if (bytes === 0 || bytes % RECORD !== 0) {
    const whole = Math.floor(bytes / RECORD)
    throw new Error(
      `CIFAR-10: ${file}, offset ${whole * RECORD}: needed a record of ${RECORD} bytes, got ${bytes - whole * RECORD}`,
    )
  }
  return bytes / RECORD
}
const countRecords = (file: string): number => withFile(file, BATCHES, ({ bytes }) => recordsIn(file, bytes))

/** Reads one file of CIFAR-10's binary version into interleaved RGB. Errors name file, offset, needed and got. */
export const readCifar10 = (file: string): ImageSet => {
  const bytes = readBytes(file, BATCHES)
  const count = recordsIn(file, bytes.length)
  const images = new Uint8Array(count * 3 * PLANE)
  const labels = new Uint8Array(count)
  for (let n = 0; n < count; n++) {
    const offset = n * RECORD
    const label = bytes[offset]!
    if (label >= NAMES.length)
      throw new Error(`CIFAR-10: ${file}, offset ${offset}: needed a label from 0 to 9, got ${label}`)
    labels[n] = label
    for (let c = 0; c < 3; c++)
      for (let i = 0; i < PLANE; i++) images[(n * PLANE + i) * 3 + c] = bytes[offset + 1 + c * PLANE + i]!
  }
  return { images, labels, count }
}

const classNames = (folder: string): string[] => {
  const file = path.join(folder, 'batches.meta.txt')
  if (!kindAt(file)) return NAMES
  const names = readText(file, { who: WHO, most: 2 ** 16 })
    .split(/\s+/)
    .filter(Boolean)
  if (names.length !== NAMES.length)
    throw new Error(`CIFAR-10: ${file}: needed 10 class names, got ${names.length}`)
  return names
}

export const countCifar10 = (config: DataConfig): { classes: string[]; images: number } => ({
  classes: classNames(config.path!),
  images: trainingFiles(config.path!).reduce((sum, file) => sum + countRecords(file), 0),
})

/** CIFAR-10 with a held-out validation split of the training files; the test file stays untouched. */
export const loadCifar10 = (config: DataConfig): DataSet => {
  const sets = trainingFiles(config.path!).map(readCifar10)
  const count = sets.reduce((sum, set) => sum + set.count, 0)
  const all: ImageSet = {
    images: Buffer.concat(sets.map((set) => set.images)),
    labels: Buffer.concat(sets.map((set) => set.labels)),
    count,
  }
  const images = shrink(all.images, count, SIDE, config.imageSize)
  // The split belongs to the data, not to a search's seed: every search is judged on the same images.
  const order = createRandom('cifar10 split').shuffle([...all.labels.keys()])
  return {
    classes: classNames(config.path!),
    imageSize: config.imageSize,
    ...split({ ...all, images }, config.imageSize, order, config.validationImages, config.trainingImages),
  }
}
