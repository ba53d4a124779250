/** Whether `a` is at least as good as `b` everywhere and better somewhere (larger is better). */
export const dominates = (a: readonly number[], b: readonly number[]): boolean => {
  if (a.length !== b.length)
    throw new Error(`pareto: needs points of one length, got ${a.length} and ${b.length}`)
  let better = false
  for (const [i, value] of a.entries()) {
    if (value < b[i]!) return false
    if (value > b[i]!) better = true
  }
  return better
}

/** Positions of the points that no other dominates, ascending. Equal points are kept together. */
export const paretoFront = (points: readonly (readonly number[])[]): number[] => {
  // What dominates a point comes before it in descending lexicographic order, so that the front alone is asked.
  const order = points.map((_, i) => i).sort((a, b) => descending(points[a]!, points[b]!) || a - b)
  const front: number[] = []
  for (const i of order) if (!front.some((j) => dominates(points[j]!, points[i]!))) front.push(i)
  return front.sort((a, b) => a - b)
}

const descending = (a: readonly number[], b: readonly number[]): number => {
  for (const [i, value] of a.entries()) if (value !== b[i]!) return b[i]! - value
  return 0
}

/** Average over the architectures: the one number a layer is ranked by. */
export const mean = (scores: readonly number[]): number =>
  scores.reduce((sum, score) => sum + score, 0) / scores.length
