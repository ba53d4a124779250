/**
 * Fréchet distance of two Gaussians, the number behind FID. Source: Heusel et al. 2017; Dowson & Landau 1982. What it
 * is worth depends on the feature space and on the number of samples: name both beside every figure.
 */
import { EVD, Matrix } from 'ml-matrix'

/** A feature vector a sample, `[samples, dimensions]` in rows. */
export type Features = {
  readonly values: Float32Array | Float64Array
  readonly samples: number
  readonly dimensions: number
}

export type Gaussian = {
  readonly samples: number
  readonly mean: Float64Array
  /** `[dimensions, dimensions]`, symmetric; unbiased, as numpy's `cov`. */
  readonly covariance: Matrix
}

/** Mean and covariance of features. Throws where there are fewer than two samples or a feature is not finite. */
export const gaussianOf = ({ values, samples, dimensions }: Features): Gaussian => {
  if (samples < 2) throw new Error(`Fréchet distance: needed at least 2 samples, got ${samples}`)
  if (values.length !== samples * dimensions)
    throw new Error(
      `Fréchet distance: needed ${samples} × ${dimensions} = ${samples * dimensions} features, got ${values.length}`,
    )
  const bad = values.findIndex((value) => !Number.isFinite(value))
  if (bad >= 0)
    throw new Error(
      `Fréchet distance: needed finite features, got ${values[bad]} in sample ${Math.floor(bad / dimensions)}`,
    )

  const mean = new Float64Array(dimensions)
  values.forEach((value, i) => (mean[i % dimensions]! += value / samples))
  const rows = Array.from({ length: dimensions }, () => new Float64Array(dimensions))
  const centred = new Float64Array(dimensions)
  for (let n = 0; n < samples; n++) {
    for (let i = 0; i < dimensions; i++) centred[i] = values[n * dimensions + i]! - mean[i]!
    for (let i = 0; i < dimensions; i++) {
      const row = rows[i]!
      const value = centred[i]! / (samples - 1)
      for (let j = 0; j <= i; j++) row[j]! += value * centred[j]!
    }
  }
  for (let i = 0; i < dimensions; i++) for (let j = 0; j < i; j++) rows[j]![i] = rows[i]![j]!
  return { samples, mean, covariance: Matrix.checkMatrix(rows) }
}

/** ‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2·√(Σ₁Σ₂)); zero for equal Gaussians, in squared units of the features. */
export const frechetDistance = (a: Gaussian, b: Gaussian): number => {
  if (a.mean.length !== b.mean.length)
    throw new Error(
      `Fréchet distance: needed features of one size, got ${a.mean.length} and ${b.mean.length} dimensions`,
    )
  const shift = a.mean.reduce((sum, value, i) => sum + (value - b.mean[i]!) ** 2, 0)
  const spread = a.covariance.trace() + b.covariance.trace() - 2 * traceOfRoot(a.covariance, b.covariance)
  return Math.max(0, shift + spread)
}

/**
 * tr √(AB) of two covariances. AB is not symmetric, but has the eigenvalues of TᵀBT with A = TTᵀ, which is, so that
 * they come real and without complex roots, whatever the rank.
 */
const traceOfRoot = (a: Matrix, b: Matrix): number => {
  const { values, vectors } = eigen(a)
  const factor = vectors.mulRowVector(values.map(Math.sqrt))
  const product = factor.transpose().mmul(b).mmul(factor)
  return eigen(product.add(product.transpose()).mul(0.5)).values.reduce(
    (sum, value) => sum + Math.sqrt(value),
    0,
  )
}

/** Decomposes a positive semi-definite matrix; eigenvalues that rounding could have made are set to zero. */
const eigen = (matrix: Matrix): { values: number[]; vectors: Matrix } => {
  const { realEigenvalues, eigenvectorMatrix } = new EVD(matrix, { assumeSymmetric: true })
  const noise = Math.max(...realEigenvalues) * matrix.rows * Number.EPSILON
  return { values: realEigenvalues.map((value) => (value > noise ? value : 0)), vectors: eigenvectorMatrix }
}
