import type { Tensor2D } from '@tensorflow/tfjs-node-gpu'
import type { Random } from '../../../../shared/random.ts'
import { loadRuntime, type Tensor, type Variable } from '../../runtime.ts'

/**
 * Orthogonal regularisation of the generator: Σ ‖WᵀW ⊙ (1 − I)‖²_F over its weights as matrices `[rest, outputs]`, which
 * asks filters to differ but leaves their lengths free. Source: Brock et al. 2019, equation 3.
 */
export const orthogonalPenalty = (weights: readonly Variable[]): Tensor => {
  const { tf } = loadRuntime()
  const terms = weights.map((weight): Tensor => {
    const outputs = weight.shape.at(-1)!
    const matrix = weight.reshape<Tensor2D>([weight.size / outputs, outputs])
    const others = Float32Array.from({ length: outputs ** 2 }, (_, i) => Number(i % (outputs + 1) !== 0))
    return tf
      .matMul(matrix, matrix, true, false)
      .mul(tf.tensor2d(others, [outputs, outputs]))
      .square()
      .sum()
  })
  return terms.reduce((sum, term) => sum.add(term), tf.scalar(0))
}

/**
 * A random matrix `[rows, columns]` with orthonormal rows or columns, whichever are fewer: Gram-Schmidt on normal
 * vectors, each made orthogonal twice, for rounding. Source: Saxe et al. 2014; BigGAN's initialisation.
 */
export const orthogonalMatrix = (rows: number, columns: number, random: Random): Float32Array => {
  const [count, length] = rows < columns ? [rows, columns] : [columns, rows]
  const vectors: Float64Array[] = []
  while (vectors.length < count) {
    const vector = Float64Array.from({ length }, () => random.normal())
    for (let twice = 0; twice < 2; twice++)
      for (const other of vectors) {
        const along = dot(vector, other)
        other.forEach((value, i) => (vector[i]! -= along * value))
      }
    const norm = Math.sqrt(dot(vector, vector))
    vectors.push(vector.map((value) => value / norm))
  }
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns]
    return rows < columns ? vectors[row]![column]! : vectors[column]![row]!
  })
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
