/** Rank correlations, ties counted as usual. */

/** Kendall's τ-b: concordant less discordant pairs, over the geometric mean of the pairs untied in each. */
export const kendall = (a: readonly number[], b: readonly number[]): number => {
  let [sum, untiedA, untiedB] = [0, 0, 0]
  for (let i = 0; i < a.length; i++)
    for (let j = 0; j < i; j++) {
      const [x, y] = [Math.sign(a[i]! - a[j]!), Math.sign(b[i]! - b[j]!)]
      sum += x * y
      untiedA += Math.abs(x)
      untiedB += Math.abs(y)
    }
  return sum / Math.sqrt(untiedA * untiedB)
}

/** Spearman's ρ: Pearson's correlation of the ranks, equal values sharing their mean rank. */
export const spearman = (a: readonly number[], b: readonly number[]): number => pearson(ranks(a), ranks(b))

const ranks = (values: readonly number[]): number[] =>
  values.map((value) => {
    const below = values.filter((other) => other < value).length
    const equal = values.filter((other) => other === value).length
    return below + (equal + 1) / 2
  })

const pearson = (a: readonly number[], b: readonly number[]): number => {
  const middle = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const [meanA, meanB] = [middle(a), middle(b)]
  const product = (f: (i: number) => number): number => a.reduce((sum, _, i) => sum + f(i), 0)
  const covariance = product((i) => (a[i]! - meanA) * (b[i]! - meanB))
  const variances = product((i) => (a[i]! - meanA) ** 2) * product((i) => (b[i]! - meanB) ** 2)
  return covariance / Math.sqrt(variances)
}
