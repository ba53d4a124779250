/** The random cases of test/reference/synthesis.py, made by the same arithmetic in the same order. */
import type { Features } from '../../../main/engine/metrics/frechet.ts'
import type { Probabilities } from '../../../main/engine/metrics/inceptionScore.ts'
import { mulberry32, type Below } from '../../reference/portable.ts'

/** Sums of draws, each feature with its own shift and mixed with the one before it: exact in float32. */
const features = (below: Below, samples: number, dimensions: number, scale: number): Features => {
  const values = new Float32Array(samples * dimensions)
  const shifts = Array.from({ length: dimensions }, () => below(200))
  for (let n = 0; n < samples; n++)
    for (let i = 0, last = 0; i < dimensions; i++) {
      last = Math.floor((below(100) + below(100) + last) / 2)
      values[n * dimensions + i] = (last * scale + shifts[i]!) / 64
    }
  return { values, samples, dimensions }
}

export const frechetCase = (number: number): [Features, Features] => {
  const below = mulberry32(number)
  const dimensions = 1 + below(40)
  const samples = [0, 1].map((side) =>
    number > 30 && side <= below(2) ? 2 + below(Math.max(1, dimensions - 1)) : dimensions + 2 + below(150),
  )
  const scales = [1 + below(4), 1 + below(4)]
  const first = features(below, samples[0]!, dimensions, scales[0]!)
  return [first, features(below, samples[1]!, dimensions, scales[1]!)]
}

export const inceptionCase = (number: number): { probabilities: Probabilities; splits: number } => {
  const below = mulberry32(1000 + number)
  const classes = 2 + below(20)
  const splits = 1 + below(10)
  const samples = splits + below(200)
  const sharp = 1 + below(6)
  const values = new Float64Array(samples * classes)
  for (let n = 0; n < samples; n++) {
    const row = Array.from({ length: classes }, () => below(20) ** sharp)
    row[below(classes)]! += 1
    const sum = row.reduce((a, b) => a + b, 0)
    row.forEach((weight, i) => (values[n * classes + i] = weight / sum))
  }
  return { probabilities: { values, samples, classes }, splits }
}
