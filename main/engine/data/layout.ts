/** Which sub-folders of a folder of images are classes, and which, if any, are parts for training and validation. */
import path from 'node:path'
import { imagesText, splitText, type DataSplit, type SplitChoice } from '../../../shared/data.ts'
import { allImages, hasImages, type Folder } from './listing.ts'
import type { Notes } from './notes.ts'
import { chooseSplits, useOf, type Choice, type Chosen, type Kind } from './splits.ts'

/** A class and its files, below the folder. */
export type ClassFiles = { readonly name: string; readonly files: readonly string[] }

export type Layout = {
  readonly training: readonly ClassFiles[]
  /** In the order of `training`, some empty; null: held out of the training part. */
  readonly validation: readonly ClassFiles[] | null
  /** The part for tests, in the order of `training`; null: there is none. */
  readonly test: { readonly name: string; readonly classes: readonly ClassFiles[] } | null
  readonly splits: readonly DataSplit[]
  readonly chosen: Chosen
}
export type Question = { readonly question: string; readonly splits: readonly DataSplit[] }

/** The folder itself, as a part: its sub-folders are the classes. */
export const WHOLE = '.'
const MOST_CLASSES = 256

/** Names of parts: whole words, for "trainers" and "valley" are classes. */
const kindOf = (name: string): Kind => {
  const [, word] = /^([a-z]+?)([-_. ]?(set|data|images|imgs|\d+))?$/i.exec(name) ?? []
  switch (word?.toLowerCase()) {
    case 'train':
    case 'training':
      return 'training'
    case 'val':
    case 'valid':
    case 'validation':
    case 'dev':
    case 'eval':
      return 'validation'
    case 'test':
    case 'testing':
      return 'test'
    default:
      return 'other'
  }
}

/** `tested`: the part for tests is wanted, which is left alone else. */
export const layOut = (
  root: Folder,
  choice: SplitChoice,
  where: string,
  notes: Notes,
  tested = false,
): Layout | Question => {
  const top = root.folders.filter(hasImages)
  for (const { path } of root.folders.filter((folder) => !hasImages(folder)))
    notes.add('folders without images', path)
  const parts = top.filter(isPart)
  const trains = parts.some(({ name }) => kindOf(name) === 'training')
  const rest = top.filter((folder) => !parts.includes(folder) && !(trains && kindOf(folder.name) !== 'other'))
  const names = [WHOLE, ...top.filter(({ folders }) => folders.some(hasImages)).map(({ name }) => name)]
  const chosen = choose(parts, rest, names, choice, where)
  const folderOf = (name: string): Folder =>
    name === WHOLE ? root : top.find((folder) => folder.name === name)!
  const splits = (parts.length > 0 ? names : []).map((name) => ({
    name,
    images: allImages(folderOf(name)).length,
    use: 'question' in chosen ? null : useOf(name, chosen),
  }))
  if ('question' in chosen) return { ...chosen, splits }

  const { training, validation } = chosen
  const held = training === validation
  const test = tested
    ? (parts.find(({ name }) => kindOf(name) === 'test' && name !== training && name !== validation) ?? null)
    : null
  const trained = classesOf(folderOf(training), where, notes, training === WHOLE && !held ? [validation] : [])
  if (trained.length < 2) throw tooFew(folderOf(training), trained, where)
  if (trained.length > MOST_CLASSES)
    throw new Error(`image folder: ${where}: needed at most ${MOST_CLASSES} classes, got ${trained.length}`)
  for (const folder of top)
    if (training !== WHOLE && !names.includes(folder.name))
      notes.add('folders that are not used', `${folder.name}, ${imagesText(allImages(folder).length)}`)
  return {
    training: trained,
    validation: held ? null : match(trained, classesOf(folderOf(validation), where, notes), chosen, notes),
    test: test && {
      name: test.name,
      classes: match(trained, classesOf(test, where, notes), { training, validation: test.name }, notes),
    },
    splits,
    chosen,
  }
}

/** A part by its name has folders of classes, and no images beside them. */
const isPart = ({ name, images, folders }: Folder): boolean =>
  kindOf(name) !== 'other' && images.length === 0 && folders.some(hasImages)

const choose = (
  parts: readonly Folder[],
  rest: readonly Folder[],
  names: readonly string[],
  choice: SplitChoice,
  where: string,
): Choice => {
  const whole: Choice = { training: WHOLE, validation: WHOLE }
  const asked = choice.trainingSplit !== undefined || choice.validationSplit !== undefined
  if (parts.length === 0 && !asked) return whole
  if (!asked && rest.length > 0)
    return {
      question:
        `Are the classes in ${parts.map(({ name }) => name).join(', ')}, or is each of the folders ` +
        `${[...parts, ...rest]
          .slice(0, 6)
          .map(({ name }) => name)
          .join(', ')} a class ("${WHOLE}")?`,
    }
  // The folder itself is no part unless it is named.
  const named = (name: string): Kind => (name === WHOLE ? 'test' : kindOf(name))
  const given =
    choice.trainingSplit === WHOLE && choice.validationSplit === undefined
      ? { ...choice, validationSplit: WHOLE }
      : choice
  return chooseSplits(names, named, given, `image folder: ${where}`)
}

/** A name as its reader takes it: "Cat" and "cat", composed and decomposed letters are the same. */
const keyOf = (name: string): string => name.normalize('NFC').toLowerCase()

const classesOf = (
  part: Folder,
  where: string,
  notes: Notes,
  without: readonly string[] = [],
): ClassFiles[] => {
  for (const image of part.images) notes.add('images outside of the classes’ folders', image)
  const seen = new Map<string, string>()
  return part.folders
    .filter((folder) => hasImages(folder) && !without.includes(folder.name))
    .map((folder) => {
      const { name } = folder
      const twin = seen.get(keyOf(name))
      if (twin !== undefined)
        throw new Error(
          `image folder: ${path.join(where, part.path)}: needed classes whose names differ by more than case and ` +
            `accents’ coding, got ${shown(twin)} and ${shown(name)}`,
        )
      seen.set(keyOf(name), name)
      for (const nested of folder.folders)
        for (const image of allImages(nested))
          notes.add('images in nested folders, of the class that they lie in', image)
      for (const empty of folder.folders)
        if (!hasImages(empty)) notes.add('folders without images', empty.path)
      return { name: name.normalize('NFC'), files: allImages(folder) }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Letters beyond ASCII as escapes: two names that look the same can be told apart. */
const shown = (name: string): string =>
  JSON.stringify(name).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

const match = (
  trained: readonly ClassFiles[],
  validated: readonly ClassFiles[],
  { training, validation }: Chosen,
  notes: Notes,
): ClassFiles[] => {
  const keys = new Set(trained.map(({ name }) => keyOf(name)))
  const unknown = validated.find(({ name }) => !keys.has(keyOf(name)))
  if (unknown)
    throw new Error(
      `image folder: the class "${unknown.name}" is in ${validation}, but not in ${training} (${trained
        .slice(0, 6)
        .map(({ name }) => name)
        .join(', ')}${trained.length > 6 ? ', …' : ''})`,
    )
  return trained.map(({ name }) => {
    const same = validated.find((other) => keyOf(other.name) === keyOf(name))
    if (!same) notes.add('classes without validation images', name)
    else if (same.name !== name) notes.add('classes spelt in two ways', `${name} and ${same.name}`)
    return { name, files: same?.files ?? [] }
  })
}

const tooFew = (part: Folder, found: readonly ClassFiles[], where: string): Error => {
  const inner = part.folders.find(({ folders }) => folders.filter(hasImages).length > 1)
  const hint = inner ? `; the folder ${path.join(where, inner.path)} has several` : ''
  const names = found.map(({ name }) => ` (${name})`).join('')
  return new Error(
    `image folder: ${path.join(where, part.path)}: needed a sub-folder of images for each of at least 2 classes, ` +
      `got ${found.length}${names}${hint}`,
  )
}

/** "3 images of train/ for training, 2 of val/ for validation". */
export const ruleOf = (
  { splits, chosen }: Layout,
  counts: { training: number; validation: number },
): string => {
  const { training, validation } = chosen
  const of = (part: string): string => (part === WHOLE ? '' : ` of ${part}/`)
  const unused = splits.filter(({ name, use }) => use === null && name !== WHOLE)
  const held = training === WHOLE ? ' held out' : ' held out of it'
  return (
    `${imagesText(counts.training)}${of(training)} for training, ${counts.validation.toLocaleString('en')}` +
    `${training === validation ? held : of(validation)} for validation` +
    (unused.length > 0 && training !== WHOLE ? `; not used: ${unused.map(splitText).join(', ')}` : '')
  )
}
