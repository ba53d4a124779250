/** Data in words, for page and command line. */
import type { DataNote, DataReport, DataSplit } from './records/data.ts'

export type { DataNote, DataReport, DataSplit, SplitChoice } from './records/data.ts'

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
