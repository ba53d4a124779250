/** A folder laid out as COCO's: which of its files train and validate, their categories matched, copies dropped. */
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { createRandom } from '../../../shared/random.ts'
import {
  imagesText,
  splitText,
  type DataReport,
  type DataSplit,
  type SplitChoice,
} from '../../../shared/data.ts'
import { kindAt, readFolder, withFile } from '../../files.ts'
import {
  readCategories,
  readCoco,
  type Categories,
  type CocoImage,
  type CocoOptions,
  type CocoSplit,
} from './coco.ts'
import { mapSome } from './copies.ts'
import { createNotes, type Notes } from './notes.ts'
import { chooseSplits, useOf, type Kind } from './splits.ts'

export type CocoConfig = SplitChoice & {
  readonly path: string
  /** At most so many are used; 0 means all. */
  readonly trainingImages: number
  readonly validationImages: number
}
export type CocoData = {
  readonly categories: readonly string[]
  readonly training: readonly CocoImage[]
  readonly validation: readonly CocoImage[]
}

/** The files of annotations in a folder: annotations/instances_<split>.json beside <split>/. */
export const cocoSplits = (folder: string, notes: Notes = createNotes()): CocoSplit[] => {
  const annotations = path.join(folder, 'annotations')
  const files = kindAt(annotations) === null ? [] : readFolder(annotations, 'coco')
  const splits = files.flatMap(({ name: file, kind }) => {
    const name = kind === 'file' ? /^instances_(.+)\.json$/.exec(file)?.[1] : undefined
    if (name === undefined) notes.add('other files beside the annotations', file)
    return name === undefined
      ? []
      : [{ name, annotations: path.join(annotations, file), images: path.join(folder, name) }]
  })
  if (splits.length === 0)
    throw new Error(`coco: ${folder}: needed annotations/instances_<split>.json, found none`)
  return splits
}

/** `data` null: the report asks a question. */
export const openCoco = async (
  config: CocoConfig,
): Promise<{ readonly report: DataReport; readonly data: CocoData | null }> => {
  const notes = createNotes()
  const splits = cocoSplits(config.path, notes)
  const choice = chooseSplits(
    splits.map(({ name }) => name),
    kindOf,
    config,
    `coco: ${config.path}`,
  )
  const listed: Listed[] = []
  for (const split of splits)
    listed.push({
      split,
      ...(await countIn(split, 'training' in choice && useOf(split.name, choice) !== null)),
    })
  const shown = (use: (name: string) => DataSplit['use']): DataSplit[] =>
    listed.map(({ split: { name }, images }) => ({ name, images, use: use(name) }))
  if ('question' in choice) {
    const { question } = choice
    const list = shown(() => null)
    const empty = { classes: [], unit: 'objects', trainingImages: 0, validationImages: 0 } as const
    return {
      report: { ...empty, rule: listText(list), splits: list, question, notes: notes.list },
      data: null,
    }
  }

  const [trainer, validator] = [choice.training, choice.validation].map((name) =>
    listed.find(({ split }) => split.name === name)!,
  ) as [Listed, Listed]
  for (const { split } of [trainer, validator])
    if (kindAt(split.images) !== 'folder')
      throw new Error(`coco: ${config.path}: needed the images of ${split.name} in ${split.images}`)
  const categories = matchCategories(trainer, validator)
  for (const other of listed) noteContradiction(other, [trainer, validator], notes)
  const heldOut = trainer === validator
  const { trainingImages, validationImages } = config
  const read = (split: CocoSplit, used: NonNullable<CocoOptions['used']>) =>
    readCoco(split, { categories, notes, used })
  const { images: training, categories: names } = await read(trainer.split, (all) =>
    heldOut ? heldOutFirst(all, config, trainer.split) : all.slice(0, trainingImages || undefined),
  )
  const picked = heldOut
    ? { training: training.slice(validationImages), validation: training.slice(0, validationImages) }
    : { training, validation: (await read(validator.split, (all) => all.slice(0, validationImages))).images }
  for (const [name, images] of [
    [trainer.split.annotations, picked.training],
    [validator.split.annotations, picked.validation],
  ] as const)
    if (images.length === 0) throw new Error(`coco: ${name}: needed images, got none`)
  const data = { categories: names, ...(await dropCopies(picked, notes)) }
  const list = shown((name) => useOf(name, choice))
  return { data, report: reportOf(data, choice, list, config, notes) }
}

type Listed = {
  readonly split: CocoSplit
  /** null: a file that is not used is too large to look into. */
  readonly categories: Categories | null
  readonly images: number | null
}

const kindOf = (name: string): Kind =>
  /^train/i.test(name)
    ? 'training'
    : /^(val|dev|minival)/i.test(name)
      ? 'validation'
      : /^test/i.test(name)
        ? 'test'
        : 'other'

/** Bytes up to which files that are not used are looked into. */
const LOOKED_INTO = 2 ** 26

const countIn = async ({ annotations }: CocoSplit, used: boolean): Promise<Omit<Listed, 'split'>> => {
  const bytes = withFile(annotations, { who: 'coco', most: Infinity }, (file) => file.bytes)
  if (!used && bytes > LOOKED_INTO) return { categories: null, images: null }
  try {
    return await readCategories(annotations)
  } catch (error) {
    if (used) throw error
    return { categories: null, images: null }
  }
}

/** The categories of two files, by id and name. Throws where they contradict each other. */
const matchCategories = (first: Listed, second: Listed): Categories => {
  const contradiction = contradictionOf(first, second)
  if (contradiction) throw new Error(`coco: ${contradiction}`)
  return new Map([...first.categories!, ...second.categories!])
}

/** How two files number the same category differently, a sentence naming both; or null. */
const contradictionOf = (first: Listed, second: Listed): string | null => {
  const file = ({ split }: Listed) => path.basename(split.annotations)
  const known = first.categories ?? new Map<number, string>()
  for (const [id, name] of second.categories ?? []) {
    const other = known.get(id)
    if (other !== undefined && other !== name)
      return `category ${id} is "${other}" in ${file(first)}, but "${name}" in ${file(second)}`
    const twin = other === undefined ? [...known].find(([, each]) => each === name) : undefined
    if (twin) return `category "${name}" is ${twin[0]} in ${file(first)}, but ${id} in ${file(second)}`
  }
  return null
}

const noteContradiction = (other: Listed, used: readonly Listed[], notes: Notes): void => {
  if (used.includes(other)) return
  const contradiction = used.map((one) => contradictionOf(one, other)).find((found) => found !== null)
  if (contradiction) notes.add('files that are not used number categories otherwise', contradiction)
}

type Picked = Pick<CocoData, 'training' | 'validation'>

/** The same images for every layer and seed, drawn so that both parts have all kinds: those of validation, then training's. */
const heldOutFirst = <T>(
  images: readonly T[],
  { trainingImages, validationImages }: CocoConfig,
  { annotations }: CocoSplit,
): readonly T[] => {
  if (images.length <= validationImages)
    throw new Error(
      `coco: ${annotations}: ${validationImages} validation images held out leave none of ${images.length} for training`,
    )
  const order = createRandom('coco split').shuffle([...images])
  return trainingImages === 0 ? order : order.slice(0, validationImages + trainingImages)
}

/** More images than this are told by their files' bytes: to decode them would take minutes. */
const DECODED = 10_000

/** What is trained on is never validated on: a picture that is in both parts is left out of training. */
const dropCopies = async ({ training, validation }: Picked, notes: Notes): Promise<Picked> => {
  const decode = training.length + validation.length <= DECODED
  const identity = async (image: CocoImage): Promise<string> => {
    const found = await image.identity(decode)
    // Lets the process's heartbeat out.
    await setImmediate()
    return found
  }
  const held = new Set(await mapSome(validation, identity))
  const identities = await mapSome(training, identity)
  const kept = training.filter((image, i) => {
    if (!held.has(identities[i]!)) return true
    notes.add('training images left out, they are in validation, too', path.basename(image.source))
    return false
  })
  if (kept.length === 0)
    throw new Error(`coco: all ${training.length} training images are in validation, too`)
  if (held.size < validation.length)
    notes.add('validation images that are there twice', 'the same pixels', validation.length - held.size)
  if (!decode)
    notes.add(
      'images compared by the bytes of their files, not by their pixels',
      `more than ${DECODED.toLocaleString('en')}`,
      training.length + validation.length,
    )
  return { training: kept, validation }
}

const reportOf = (
  { categories, training, validation }: CocoData,
  choice: { readonly training: string; readonly validation: string },
  splits: readonly DataSplit[],
  { trainingSplit, validationSplit }: CocoConfig,
  notes: Notes,
): DataReport => {
  const countsOf = (images: readonly CocoImage[]): number[] => {
    const counts = categories.map(() => 0)
    for (const { labels } of images) for (const label of labels) counts[label]! += 1
    return counts
  }
  const [trained, validated] = [countsOf(training), countsOf(validation)]
  categories.forEach((name, i) => {
    if (trained[i] === 0 && validated[i]! > 0)
      notes.add('categories that validation has and training has not', name)
  })
  const file = (name: string) => `instances_${name}.json`
  const why = trainingSplit === undefined && validationSplit === undefined ? 'by their names' : 'as chosen'
  const unused = splits.filter(({ use }) => use === null)
  return {
    classes: categories.map((name, i) => ({ name, count: trained[i]! + validated[i]! })),
    unit: 'objects',
    trainingImages: training.length,
    validationImages: validation.length,
    rule:
      `${imagesText(training.length)} of ${file(choice.training)} for training, ${validation.length.toLocaleString('en')} ` +
      (choice.training === choice.validation
        ? 'held out of it for validation'
        : `of ${file(choice.validation)} for validation`) +
      `, ${why}${unused.length > 0 ? `; not used: ${unused.map(splitText).join(', ')}` : ''}`,
    splits,
    question: null,
    notes: notes.list,
  }
}

const listText = (splits: readonly DataSplit[]): string =>
  `Annotation files: ${splits.map(splitText).join(', ')}`
