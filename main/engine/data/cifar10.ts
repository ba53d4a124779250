import path from 'node:path'
import { createRandom } from '../../../shared/random.ts'
import type { DataReport } from '../../../shared/data.ts'
import type { DataConfig } from '../../../shared/records.ts'
import { kindAt, readBytes, readFolder, readText, type Reader } from '../../files.ts'
import { classCounts, holdOut, shrink, split, type LoadedData, type ImageSet } from './dataset.ts'
import { createNotes, type Notes } from './notes.ts'

const SIDE = 32
const PLANE = SIDE * SIDE
/** One label byte, then the red, green and blue planes. */
const RECORD = 1 + 3 * PLANE
const NAMES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']

const NAMES_FILE = 'batches.meta.txt'
const TEST_FILE = 'test_batch.bin'

const WHO = 'CIFAR-10'
const BATCHES: Reader = { who: WHO, most: 2 ** 32 }

/** The training files of a folder with CIFAR-10's binary version; any number of them. */
const trainingFiles = (folder: string, notes: Notes): string[] => {
  const entries = readFolder(folder, WHO)
  const files = entries.filter(({ name }) => /^data_batch.*\.bin$/.test(name))
  if (files.length === 0) {
    const pickled = entries.some(({ name }) => name === 'data_batch_1')
    const hint = pickled ? ' but the Python version: the binary version is needed' : ''
    throw new Error(`CIFAR-10: needed data_batch_*.bin files in ${folder}, found none${hint}`)
  }
  for (const { name } of entries)
    if (!files.some((file) => file.name === name) && name !== NAMES_FILE)
      notes.add('files that are not used', name)
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
  const file = path.join(folder, NAMES_FILE)
  if (!kindAt(file)) return NAMES
  const names = readText(file, { who: WHO, most: 2 ** 16 })
    .split(/\s+/)
    .filter(Boolean)
  if (names.length !== NAMES.length)
    throw new Error(`CIFAR-10: ${file}: needed 10 class names, got ${names.length}`)
  return names
}

/** At most as many of the test batch as the config asks for. */
const testSet = (folder: string, { testImages = 0, imageSize }: DataConfig): ImageSet => {
  const file = path.join(folder, TEST_FILE)
  if (kindAt(file) === null)
    throw new Error(`CIFAR-10: needed ${TEST_FILE} in ${folder}, images that no search sees, found none`)
  const { images, labels, count } = readCifar10(file)
  const used = testImages > 0 ? Math.min(testImages, count) : count
  const bytes = imageSize * imageSize * 3
  return {
    images: shrink(images, count, SIDE, imageSize).subarray(0, used * bytes),
    labels: labels.subarray(0, used),
    count: used,
  }
}

/** Trains on what a search trains on, less copies of test images, and measures on the test images. */
const withTest = (
  all: ImageSet,
  test: ImageSet,
  { imageSize, trainingImages }: DataConfig,
  training: readonly number[],
  notes: Notes,
  nameOf: (image: number) => string,
): { readonly training: ImageSet; readonly validation: ImageSet } => {
  const both: ImageSet = {
    images: Buffer.concat([all.images, test.images]),
    labels: Buffer.concat([all.labels, test.labels]),
    count: all.count + test.count,
  }
  const validation = Array.from({ length: test.count }, (_, i) => all.count + i)
  const name = (n: number): string => (n < all.count ? nameOf(n) : `record ${n - all.count} of ${TEST_FILE}`)
  return split(both, imageSize, { training, validation }, trainingImages, notes, name)
}

/**
 * CIFAR-10 with a held-out validation split of the training files; the test file stays untouched. Copies of validation
 * images (a batch that is there twice, under another name) are not trained on.
 */
export const loadCifar10 = (config: DataConfig): LoadedData => {
  const notes = createNotes()
  const classes = classNames(config.path!)
  const files = trainingFiles(config.path!, notes)
  const sets = files.map(readCifar10)
  const count = sets.reduce((sum, set) => sum + set.count, 0)
  const all: ImageSet = {
    images: shrink(Buffer.concat(sets.map((set) => set.images)), count, SIDE, config.imageSize),
    labels: Buffer.concat(sets.map((set) => set.labels)),
    count,
  }
  // The split belongs to the data, not to a search's seed: every search is judged on the same images.
  const order = createRandom('cifar10 split').shuffle([...all.labels.keys()])
  const nameOf = (image: number): string => {
    let number = image
    const file = sets.findIndex((set) => (number -= set.count) < 0)
    return `record ${number + sets[file]!.count} of ${path.basename(files[file]!)}`
  }
  const parts = holdOut(order, config.validationImages)
  const test = config.testImages === undefined ? null : testSet(config.path!, config)
  const { training, validation } = test
    ? withTest(all, test, config, parts.training, notes, nameOf)
    : split(all, config.imageSize, parts, config.trainingImages, notes, nameOf)
  const report: DataReport = {
    classes: classCounts(classes, [training, validation]),
    unit: 'images',
    trainingImages: training.count,
    validationImages: validation.count,
    rule:
      `${training.count.toLocaleString('en')} images of ${files.map((file) => path.basename(file)).join(', ')} for training, ` +
      `${validation.count.toLocaleString('en')} ${test ? `of ${TEST_FILE}, which no search sees, to measure on` : 'held out of them for validation'}`,
    splits: [],
    question: null,
    notes: notes.list,
  }
  return { classes, imageSize: config.imageSize, training, validation, report }
}
