/** What a set of data turned out to hold: told before anything trains, and kept with what was trained on it. */
import { z } from 'zod'

/** Which parts of a folder train and validate; absent: as their names say. The same one twice: held out of it. */
export type SplitChoice = {
  readonly trainingSplit?: string | undefined
  readonly validationSplit?: string | undefined
}
export const splitChoice = {
  trainingSplit: z.string().min(1).max(255).optional(),
  validationSplit: z.string().min(1).max(255).optional(),
}

/** A part of a folder: one file of annotations, one sub-folder of classes. `images` null: not counted. */
export type DataSplit = {
  readonly name: string
  readonly images: number | null
  readonly use: 'training' | 'validation' | 'both' | null
}

/** Something that was left out or is worth knowing, how often, and where: at most three examples. */
export type DataNote = {
  readonly what: string
  readonly count: number
  readonly examples: readonly string[]
}

export type DataReport = {
  readonly classes: readonly { readonly name: string; readonly count: number }[]
  /** What the classes' counts count. */
  readonly unit: 'images' | 'objects'
  /** What is used, after all that was left out. */
  readonly trainingImages: number
  readonly validationImages: number
  /** Where they come from and by which rule, a sentence. */
  readonly rule: string
  /** Every part that could be chosen; empty where there is nothing to choose. */
  readonly splits: readonly DataSplit[]
  /** The folder can be read in several ways: until this is answered nothing of it is read. */
  readonly question: string | null
  readonly notes: readonly DataNote[]
}

const count = z.int().min(0)

export const dataReportSchema: z.ZodType<DataReport> = z.object({
  classes: z.array(z.object({ name: z.string(), count })),
  unit: z.enum(['images', 'objects']),
  trainingImages: count,
  validationImages: count,
  rule: z.string(),
  splits: z.array(
    z.object({
      name: z.string(),
      images: count.nullable(),
      use: z.enum(['training', 'validation', 'both']).nullable(),
    }),
  ),
  question: z.string().nullable(),
  notes: z.array(z.object({ what: z.string(), count, examples: z.array(z.string()) })),
})

const SHOWN_CLASSES = 12

/** "3 classes: cat 40, dog 40, fox 4". */
export const classesText = ({ classes, unit }: DataReport): string => {
  const shown = classes
    .slice(0, SHOWN_CLASSES)
    .map(({ name, count }) => `${name} ${count.toLocaleString('en')}`)
  const more = classes.length > SHOWN_CLASSES ? ', …' : ''
  return `${classes.length} ${classes.length === 1 ? 'class' : 'classes'} (${unit}): ${shown.join(', ')}${more}`
}

/** "files that are no images: 12 (labels.csv, notes.txt, …)". */
export const noteText = ({ what, count, examples }: DataNote): string => {
  const more = count > examples.length ? ', …' : ''
  return `${what}: ${count.toLocaleString('en')} (${examples.join(', ')}${more})`
}

/** "1 image", "1,200 images". */
export const imagesText = (count: number): string =>
  `${count.toLocaleString('en')} ${count === 1 ? 'image' : 'images'}`

/** "train2017 (80 images)". */
export const splitText = ({ name, images }: DataSplit): string =>
  images === null ? name : `${name} (${imagesText(images)})`

/** How many images train: what was found, else what is asked for. */
export const trainingText = (asked: number, found: DataReport | undefined): string =>
  found ? `${found.trainingImages}` : asked > 0 ? `${asked}` : 'all'

/** A report in lines; the first ones say what trains and what validates. */
export const reportLines = (report: DataReport): string[] => [
  report.rule,
  ...(report.classes.length > 0 ? [classesText(report)] : []),
  ...report.notes.map(noteText),
]
