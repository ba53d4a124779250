/** Random layers that a search would train, with their numbers by the plain interpreter, for parity of other code. */
import { randomLayer } from '../../main/search/mutate.ts'
import { staticRejection } from '../../main/search/static.ts'
import type { Graph } from '../../shared/graph.ts'
import { interpret } from '../../shared/interpret.ts'
import { createRandom } from '../../shared/random.ts'
import { LAYERS } from '../reference/layers.ts'

const { shape, groups, dy } = LAYERS
const channels = shape[3]

export const LEAVES = ['x', 'v0', 'v1', 'gamma', 'beta'] as const
export type Leaf = (typeof LEAVES)[number]
type Point = Readonly<Record<Leaf, readonly number[]>>

export type LiveGraph = {
  readonly graph: Graph
  readonly y: number[]
  /** A direction for each leaf, and the derivative of Σ y·dy along it (central differences). */
  readonly directions: Point
  readonly slopes: Readonly<Record<Leaf, number>>
}

const outputAt = (graph: Graph, { x, v0, v1, gamma, beta }: Point): number[] =>
  Array.from(interpret(graph, { shape, data: Float64Array.from(x) }, v0, v1, groups), (f, i) =>
    graph.affine ? gamma[i % channels]! * f + beta[i % channels]! : f,
  )

const lossAt = (graph: Graph, point: Point): number =>
  outputAt(graph, point).reduce((sum, y, i) => sum + y * dy[i]!, 0)

const moved = (point: Point, leaf: Leaf, direction: readonly number[], by: number): Point => ({
  ...point,
  [leaf]: point[leaf].map((value, i) => value + by * direction[i]!),
})

/**
 * `count` random layers of the whole space that pass the static checks. Where the function jumps or bends so near the
 * point that two step sizes disagree (the sign of a rounding error, say), another layer is drawn.
 */
export const liveGraphs = (count: number): LiveGraph[] => {
  const random = createRandom('live graphs')
  const found: LiveGraph[] = []
  while (found.length < count) {
    const graph = randomLayer('B', random)
    if (staticRejection(graph) !== null) continue
    const directions = Object.fromEntries(
      LEAVES.map((leaf) => [leaf, LAYERS[leaf].map(() => random.normal())]),
    ) as Record<Leaf, number[]>
    const slopesBy = (step: number) =>
      LEAVES.map((leaf) => {
        const [up, down] = [step, -step].map((by) => lossAt(graph, moved(LAYERS, leaf, directions[leaf], by)))
        return (up! - down!) / (2 * step)
      })
    const slopes = slopesBy(1e-6)
    const coarse = slopesBy(4e-6)
    if (slopes.some((slope, i) => !(Math.abs(slope - coarse[i]!) < 1e-5 * (1 + Math.abs(slope))))) continue
    found.push({
      graph,
      y: outputAt(graph, LAYERS),
      directions,
      slopes: Object.fromEntries(LEAVES.map((leaf, i) => [leaf, slopes[i]!])) as Record<Leaf, number>,
    })
  }
  return found
}

/** Largest |got·direction − slope| / (|slope| + 1) over the leaves; an absent gradient is zero. */
export const slopeDeviation = (
  { directions, slopes }: LiveGraph,
  gradient: (leaf: Leaf) => ArrayLike<number> | undefined,
): number =>
  Math.max(
    ...LEAVES.map((leaf) => {
      const got = gradient(leaf)
      const along = got ? directions[leaf].reduce((sum, d, i) => sum + d * got[i]!, 0) : 0
      return Math.abs(along - slopes[leaf]) / (Math.abs(slopes[leaf]) + 1)
    }),
  )
