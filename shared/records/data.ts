/** Images: which ones a search trains on, and what they turned out to hold. */
import { z } from 'zod'
import { DATA_SET_NAMES } from '../catalog.ts'
import { count, labelled, positive, whole } from './fields.ts'
import { recordKind } from './record.ts'
import type { Of } from './shapes.ts'

const splitChoiceSchema = z.object({
  trainingSplit: z.string().min(1).max(255).optional(),
  validationSplit: z.string().min(1).max(255).optional(),
})
/** Which parts of a folder train and validate; absent: as their names say. The same one twice: held out of it. */
export type SplitChoice = Of<typeof splitChoiceSchema>
export const splitChoice = splitChoiceSchema.shape

export const dataConfigSchema = z.strictObject({
  kind: labelled(z.enum(DATA_SET_NAMES), 'Data set'),
  /** A file or folder of the user's, absent for generated images. */
  path: labelled(z.string().min(1), 'The folder').optional(),
  /** At most so many training images are used; 0 means all. */
  trainingImages: labelled(count, 'Training images', { unit: 'images', help: '0: all of them' }),
  /** Images held out of the training set as validation. */
  validationImages: labelled(positive, 'Validation images', {
    unit: 'images',
    help: 'held out of the training set; at most so many of a part of their own',
  }),
  /** Side of the square images; other sizes are resized (folders). */
  imageSize: labelled(z.int().min(8).max(512), 'Side of an image', {
    unit: 'pixels',
    help: 'other sizes are resized',
  }),
  ...splitChoice,
})
export const measuredDataSchema = dataConfigSchema.extend({
  /**
   * Measured on, in place of the validation images, are at most so many that no search sees: CIFAR-10's test batch, a
   * folder's test part, newly generated ones; 0 means all. Absent in searches.
   */
  testImages: count.optional(),
})
/** Images `[height, width, 3]` of `classes` classes. */
export type DataConfig = Of<typeof measuredDataSchema>

const splitSchema = z.object({
  name: z.string(),
  /** null: not counted. */
  images: whole.nullable(),
  use: z.enum(['training', 'validation', 'both']).nullable(),
})
/** A part of a folder: one file of annotations, one sub-folder of classes. */
export type DataSplit = Of<typeof splitSchema>

const noteSchema = z.object({ what: z.string(), count: whole, examples: z.array(z.string()) })
/** Something that was left out or is worth knowing, how often, and where: at most three examples. */
export type DataNote = Of<typeof noteSchema>

export const dataReportSchema = z.object({
  classes: z.array(z.object({ name: z.string(), count: whole })),
  /** What the classes' counts count. */
  unit: z.enum(['images', 'objects']),
  /** What is used, after all that was left out. */
  trainingImages: whole,
  validationImages: whole,
  /** Where they come from and by which rule, a sentence. */
  rule: z.string(),
  /** Every part that could be chosen; empty where there is nothing to choose. */
  splits: z.array(splitSchema),
  /** The folder can be read in several ways: until this is answered nothing of it is read. */
  question: z.string().nullable(),
  notes: z.array(noteSchema),
})
/** What a set of data turned out to hold: told before anything trains, and kept with what was trained on it. */
export type DataReport = Of<typeof dataReportSchema>

export const DATA_REPORT = recordKind('data report', dataReportSchema)
