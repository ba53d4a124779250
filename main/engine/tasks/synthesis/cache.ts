/** Trained classifiers, kept beside the runs: one a data set and version. */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import type { DataSet } from '../../data/dataset.ts'
import { wholeCheckpoint, writeTensors } from '../../checkpoint.ts'
import { CLASSIFIER_VERSION, createClassifier, trainClassifier, type Classifier } from './classifier.ts'

const FORMAT = { who: 'classifier', state: z.null() }

/**
 * The classifier of a data set from `folder`, or trained and put there. Two processes that train it at once come to the
 * same values, and each writes a whole file.
 */
export const cachedClassifier = async (data: DataSet, folder: string): Promise<Classifier> => {
  const file = classifierFile(data, folder)
  let state = wholeCheckpoint(file, FORMAT)?.tensors
  if (!state) {
    state = await trainClassifier(data)
    fs.mkdirSync(folder, { recursive: true })
    writeTensors(file, { step: 0, state: null, tensors: state })
  }
  return createClassifier(data.imageSize, data.classes.length, state)
}

export const classifierFile = (data: DataSet, folder: string): string =>
  path.join(folder, `classifier-${CLASSIFIER_VERSION}-${keyOf(data)}.bin`)

/** 32 hexadecimal digits for the training images and their classes. */
const keyOf = ({ training, classes, imageSize }: DataSet): string =>
  createHash('sha256')
    .update(JSON.stringify([imageSize, classes]))
    .update(training.images)
    .update(training.labels)
    .digest('hex')
    .slice(0, 32)
