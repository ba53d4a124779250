/** A folder of images, a sub-folder a class: everything in it is looked at, and what is left out is counted. */
import path from 'node:path'
import { createRandom } from '../../../shared/random.ts'
import { imagesText, type DataReport } from '../../../shared/data.ts'
import type { DataConfig } from '../../../shared/records.ts'
import { mapSome, pixelHash } from './copies.ts'
import { classCounts, holdOut, split, type LoadedData, type ImageSet } from './dataset.ts'
import { imageFault, openImage, toRgb } from './image.ts'
import { layOut, ruleOf, type ClassFiles, type Layout } from './layout.ts'
import { listFolder, UNREADABLE } from './listing.ts'
import { createNotes, type Notes } from './notes.ts'

type Opened = { readonly report: DataReport; readonly data: LoadedData | null }

/** Throws where the folder is ambiguous. */
export const loadFolder = async (config: DataConfig): Promise<LoadedData> => {
  const { report, data } = await openFolder(config)
  if (!data) throw new Error(`image folder: ${config.path}: ${report.question}`)
  return data
}

/** `data` null: the report asks a question. */
export const openFolder = async (config: DataConfig): Promise<Opened> => {
  const notes = createNotes()
  const where = config.path!
  const tested = config.testImages !== undefined
  const layout = layOut(await listFolder(where, notes), config, where, notes, tested)
  if ('question' in layout) {
    const { question, splits } = layout
    const empty = { classes: [], unit: 'images', trainingImages: 0, validationImages: 0 } as const
    return { report: { ...empty, rule: '', splits, question, notes: notes.list }, data: null }
  }
  const data = await load(layout, config, notes)
  return { report: data.report, data }
}

type Part = 'training' | 'validation' | 'test'
type Picture = { readonly file: string; readonly name: string; readonly part: Part }
type Decoded = { readonly width: number; readonly height: number; readonly format: string }

const load = async (layout: Layout, config: DataConfig, notes: Notes): Promise<LoadedData> => {
  const { imageSize: size, path: where } = config
  const bytes = size * size * 3
  if (config.testImages !== undefined && layout.test === null)
    throw new Error(
      `image folder: ${where}: needed a part test/ with images that no search sees, found none beside those that train and validate`,
    )
  const parted: Readonly<Record<Part, readonly ClassFiles[]>> = {
    training: layout.training,
    validation: layout.validation ?? [],
    test: layout.test?.classes ?? [],
  }
  const pictures = (Object.keys(parted) as Part[]).flatMap((part) =>
    parted[part].flatMap(({ name, files }) => files.map((file): Picture => ({ file, name, part }))),
  )
  const images = new Uint8Array(pictures.length * bytes)
  const decoded = await mapSome(pictures, async ({ file }, i): Promise<Decoded | null> => {
    try {
      const picture = openImage(path.join(where!, file), 'image folder')
      const { width, height, format, orientation } = await picture.metadata()
      const pixels = await toRgb(picture.resize(size, size, { fit: 'cover' }))
      if (pixels.length !== bytes) throw new Error(`needed ${bytes} bytes of RGB, got ${pixels.length}`)
      images.set(pixels, i * bytes)
      if ((orientation ?? 1) > 1) notes.add('images whose camera’s orientation tag is not applied', file)
      return { width, height, format }
    } catch (error) {
      notes.add(UNREADABLE, `${file}: ${imageFault(error)}`)
      return null
    }
  })
  const read = pictures.flatMap((picture, i) => (decoded[i] ? [{ ...picture, ...decoded[i], at: i }] : []))
  const classes = layout.training
    .map(({ name }) => name)
    .filter((name) => read.some((picture) => picture.name === name && picture.part === 'training'))
  for (const { name } of layout.training)
    if (!classes.includes(name)) notes.add('classes left out, no image of theirs can be read', name)
  if (classes.length < 2)
    throw new Error(
      `image folder: ${where}: needed readable images of at least 2 classes, got ${classes.length}` +
        notes.list.map(({ what, count, examples }) => `; ${what}: ${count} (${examples[0]})`).join(''),
    )
  const kept = read.filter(({ name }) => classes.includes(name))
  const labelOf = new Map(classes.map((name, label) => [name, label]))
  const all: ImageSet = {
    images: compact(
      images,
      kept.map(({ at }) => at),
      bytes,
    ),
    labels: Uint8Array.from(kept, ({ name }) => labelOf.get(name)!),
    count: kept.length,
  }
  const order = createRandom('folder split').shuffle([...kept.keys()])
  const of = (part: Part): number[] => order.filter((n) => kept[n]!.part === part)
  const searched =
    layout.validation === null
      ? holdOut(of('training'), config.validationImages)
      : { training: of('training'), validation: of('validation').slice(0, config.validationImages) }
  const { testImages } = config
  const tests = testImages ? of('test').slice(0, testImages) : of('test')
  const parts = testImages === undefined ? searched : { ...searched, validation: tests }
  const measuredOn = testImages === undefined ? layout.chosen.validation : layout.test!.name
  if (parts.validation.length === 0)
    throw new Error(`image folder: ${where}: needed validation images in ${measuredOn}, got none`)
  const whole = await wholeHashes(kept, where!)
  const { training, validation } = split(
    all,
    size,
    parts,
    config.trainingImages,
    notes,
    (n) => kept[n]!.file,
    (n) => whole.get(n) ?? [],
  )
  const report: DataReport = {
    classes: classCounts(classes, [training, validation]),
    unit: 'images',
    trainingImages: training.count,
    validationImages: validation.count,
    rule:
      testImages === undefined
        ? ruleOf(layout, { training: training.count, validation: validation.count })
        : `${imagesText(training.count)} that a search trains on for training, ` +
          `${validation.count.toLocaleString('en')} of ${measuredOn}/, which no search sees, to measure on`,
    splits: layout.splits,
    question: null,
    notes: notes.list,
  }
  return { classes, imageSize: size, training, validation, report }
}

/** The images with these numbers, one after another. */
const compact = (images: Uint8Array, numbers: readonly number[], bytes: number): Uint8Array => {
  if (numbers.length * bytes === images.length) return images
  numbers.forEach((from, to) => images.copyWithin(to * bytes, from * bytes, (from + 1) * bytes))
  return images.subarray(0, numbers.length * bytes)
}

/**
 * Hashes of whole pictures, by their number, where pictures of one size come in several formats: a JPEG and the PNG made of
 * it are the same picture, but libvips shrinks them on different ways.
 */
const wholeHashes = async (
  pictures: readonly (Decoded & Picture)[],
  where: string,
): Promise<ReadonlyMap<number, readonly string[]>> => {
  const formats = new Map<string, Set<string>>()
  const sizeOf = ({ width, height }: Decoded): string => `${width}×${height}`
  for (const picture of pictures) {
    const found = formats.get(sizeOf(picture)) ?? new Set()
    formats.set(sizeOf(picture), found.add(picture.format))
  }
  const mixed = [...pictures.entries()].filter(([, picture]) => formats.get(sizeOf(picture))!.size > 1)
  const hashes = await mapSome(mixed, async ([n, { file }]) => {
    const pixels = await toRgb(openImage(path.join(where, file), 'image folder'))
    return [n, [pixelHash(pixels)]] as const
  })
  return new Map(hashes)
}
