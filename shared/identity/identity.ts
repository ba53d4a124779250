/**
 * When two layers are one: by formula (equal after the rules of rules.ts), by function (equal outputs and derivatives
 * on fixed probe batches), or only at the start of training (v0 = 0, v1 = 1).
 */
import { hash128 } from '../canonical.ts'
import type { Graph } from '../graph.ts'
import type { Shape } from '../interpret.ts'
import { EPSILON } from '../ops.ts'
import { createRandom } from '../random.ts'
import { allCells, evaluateDual, type Dual, type Point } from './dual.ts'
import { withoutFrozen } from './frozen.ts'
import { simplify } from './simplify.ts'
import { graphOf } from './term.ts'

/** Each 32 hexadecimal digits; equal ones mean: the same in that respect. */
export type Identity = {
  /** The simplified formula, with 0 for a v0 that training never moves. */
  readonly formula: string
  /** The function of x, v0 and v1. */
  readonly function: string
  /** The function of x that training starts with, but for what ε adds. */
  readonly start: string
}

/** A short name for what starts alike. */
export const familyOf = ({ start }: Identity): string => start.slice(0, 12)

const SHAPE: Shape = [3, 2, 3, 4]
const SIZE = SHAPE[0] * SHAPE[1] * SHAPE[2] * SHAPE[3]
const CHANNELS = SHAPE[3]
const CELLS = allCells(SHAPE, 2)
const PROJECTIONS = 3

const vector = (name: string, size: number, scale = 1, shift = 0): Float64Array => {
  const random = createRandom('identity', name)
  return Float64Array.from({ length: size }, () => shift + scale * random.normal())
}
const perChannel = (values: Float64Array): Float64Array =>
  Float64Array.from({ length: SIZE }, (_, i) => values[i % CHANNELS]!)
const dual = (value: Float64Array, tangent: Float64Array): Dual => ({ value, tangent })

/** Where a probe lies: x around `x` with spread `spread`, v0 and v1 around theirs with spread `wide`. */
type Around = {
  readonly x: number
  readonly spread: number
  readonly v0: number
  readonly v1: number
  readonly wide: number
}

/** A probe at random v0 and v1, and derivatives along a random direction of all three. */
const anywhere = (name: string, around: Around): Point => ({
  x: dual(vector(`${name} x`, SIZE, around.spread, around.x), vector(`${name} dx`, SIZE)),
  v0: dual(
    perChannel(vector(`${name} v0`, CHANNELS, around.wide, around.v0)),
    perChannel(vector(`${name} dv0`, CHANNELS)),
  ),
  v1: dual(
    perChannel(vector(`${name} v1`, CHANNELS, around.wide, around.v1)),
    perChannel(vector(`${name} dv1`, CHANNELS)),
  ),
})
/** v0 = 0 and v1 = 1; `moving`: whether the derivative is along these, too. */
const start = (name: string, x: number, moving: boolean): Point => {
  const fixed = new Float64Array(SIZE)
  const point = anywhere(name, { x, spread: 1, v0: 0, v1: 0, wide: 1 })
  return {
    x: point.x,
    v0: dual(fixed, moving ? point.v0.tangent : fixed),
    v1: dual(new Float64Array(SIZE).fill(1), moving ? point.v1.tangent : fixed),
  }
}
/** On both sides of each other and of 0, so that a maximum or a magnitude shows which operand it takes. */
const EVERYWHERE = [
  anywhere('a', { x: 0.3, spread: 1, v0: 0, v1: 0, wide: 1 }),
  anywhere('b', { x: -0.6, spread: 6, v0: 1.5, v1: -1, wide: 1 }),
  anywhere('c', { x: 1.5, spread: 0.3, v0: 2, v1: 1, wide: 3 }),
  anywhere('d', { x: -2, spread: 0.5, v0: -1.5, v1: 2, wide: 3 }),
  anywhere('e', { x: 0, spread: 0.2, v0: -3, v1: 1, wide: 4 }),
  start('f', 0.2, true),
]
/** Along v0 alone, from where it starts, at any x and v1. */
const ALONG_V0 = ['j', 'k'].map((name, i): Point => {
  const { x, v0, v1 } = anywhere(name, { x: i, spread: 1 + i, v0: 0, v1: 0.5, wide: 1 })
  const still = new Float64Array(SIZE)
  return { x: dual(x.value, still), v0: dual(still, v0.tangent), v1: dual(v1.value, still) }
})
const AT_START = [start('g', 0.3, false), start('h', -1.5, false), start('i', 1.5, false)]
const DIRECTIONS = Array.from({ length: PROJECTIONS }, (_, i) => vector(`projection ${i}`, SIZE))

/** How closely layers are compared: ε of the ops, steps within a tensor's norm, and the norm that counts as 0. */
type Closeness = { readonly epsilon: number; readonly steps: number; readonly nothing: number }
const EXACT: Closeness = { epsilon: EPSILON, steps: 1e7, nothing: 1e-11 }
/** So small an ε that layers which differ by nothing but what ε adds come out equal. */
const BUT_FOR_EPSILON: Closeness = { epsilon: 1e-14, steps: 1e4, nothing: 1e-8 }

/** A tensor as a few rounded numbers: its largest magnitude, and projections on fixed directions as parts of it. */
const digest = (t: Float64Array, { steps, nothing }: Closeness): string => {
  let norm = 0
  for (const v of t) if (Number.isFinite(v)) norm = Math.max(norm, Math.abs(v))
  const overflows = t.some((v) => !Number.isFinite(v))
  if (norm < nothing && !overflows) return '0'
  // What is not finite lies beyond every finite value.
  const part = (v: number): number =>
    Number.isNaN(v) ? 3 : Number.isFinite(v) ? v / (norm || 1) : 2 * Math.sign(v)
  const parts = DIRECTIONS.map((direction) => {
    let sum = 0
    for (let i = 0; i < t.length; i++) sum += part(t[i]!) * direction[i]!
    // + 0 takes the sign off 0.
    return Math.round((sum / Math.sqrt(SIZE)) * steps) + 0
  })
  return `${norm < nothing ? 0 : Math.round(Math.log(norm) * steps) + 0},${parts.join(',')}`
}

const hashAt = (graph: Graph, points: readonly Point[], closeness: Closeness): string =>
  hash128(
    points
      .map((point) => evaluateDual(graph, point, CELLS, closeness.epsilon))
      .map(({ value, tangent }) => `${digest(value, closeness)};${digest(tangent, closeness)}`)
      .join('|'),
  )

/** The layer as training knows it: with 0 for a v0 that it never moves. */
export const asTrained = (graph: Graph): Graph => withoutFrozen(graph, ALONG_V0, CELLS)

/** A layer's identity. About half a millisecond; the same on every machine up to the rounding of exp, tanh and log. */
export const identify = (graph: Graph): Identity => {
  const term = simplify(asTrained(graph))
  const simple = graphOf(term, graph.affine)
  const affine = graph.affine ? 'affine' : 'plain'
  return {
    formula: hash128(`${affine} ${term.text}`),
    function: hash128(`${affine} ${hashAt(simple, EVERYWHERE, EXACT)}`),
    start: hash128(`${affine} ${hashAt(simple, AT_START, BUT_FOR_EPSILON)}`),
  }
}
