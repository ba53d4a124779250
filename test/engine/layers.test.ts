import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomLayer } from '../../main/search/mutate.ts'
import { staticRejection } from '../../main/search/static.ts'
import { formulaText } from '../../shared/formula.ts'
import { interpret, type Numbers } from '../../shared/interpret.ts'
import { createRandom } from '../../shared/random.ts'
import { deviation, graphOf, LAYERS, type LayerCase } from '../reference/layers.ts'
import { createSite, type Gradients, type Shape4, type Vectors } from './run-layer.ts'

const TOLERANCE = 1e-4

const near = (what: string, got: ArrayLike<number> | undefined, wanted: readonly number[]): void => {
  const off = deviation(got ?? wanted.map(() => 0), wanted)
  assert.ok(off < TOLERANCE, `${what} is off by ${off.toExponential(1)}`)
}

const check = (reference: LayerCase, y: Float32Array, gradients: Gradients): void => {
  near('y', y, reference.y)
  near('dy/dx', gradients.x, reference.dx ?? reference.y.map(() => 0))
  const zeros = [0, 0, 0, 0]
  near('dy/dv0', gradients.v0, reference.dv0 ?? zeros)
  near('dy/dv1', gradients.v1, reference.dv1 ?? zeros)
  if (!reference.affine) return
  near('dy/dγ', gradients.gamma, reference.dgamma ?? zeros)
  near('dy/dβ', gradients.beta, reference.dbeta ?? zeros)
}

for (const reference of LAYERS.cases)
  test(`${reference.name} on ${reference.input} equals PyTorch, values and gradients`, () => {
    const site = createSite(graphOf(reference), LAYERS.shape, LAYERS.groups, LAYERS)
    const x = LAYERS[reference.input]
    const first = site.run(x, LAYERS.dy, { training: true })
    check(reference, first.y, first.gradients)
    if (reference.inference) {
      site.keepStatistics()
      near('inference', site.run(LAYERS.x2, LAYERS.dy, { training: false }).y, reference.inference)
    }
    const second = site.run(x, LAYERS.dy, { training: true, secondOrder: true })
    check(reference, second.y, second.gradients)
    site.dispose()
  })

test('a layer without batch statistics is the same at inference as in training', () => {
  const reference = LAYERS.cases.find(({ name }) => name === 'EvoNorm-S0')!
  const site = createSite(graphOf(reference), LAYERS.shape, LAYERS.groups, LAYERS)
  near('inference', site.run(LAYERS.x, LAYERS.dy, { training: false }).y, reference.y)
  site.dispose()
})

const SHAPE: Shape4 = [3, 3, 3, 4]
const SIZE = 3 * 3 * 3 * 4
/** Where a graph is probed: x, then v0, then v1. */
type Point = Float64Array
const GROUPS = 2

test('gradients of 1,000 random layers equal finite differences of the interpreter, and tfjs’s own', () => {
  const random = createRandom('finite differences')
  let compared = 0
  let passedOver = 0
  while (compared < 1000) {
    const graph = { ...randomLayer('B', random), affine: false }
    if (staticRejection(graph) !== null) continue
    const upstream = Float32Array.from({ length: SIZE }, () => random.normal())
    const point = Float64Array.from(
      Float32Array.from({ length: SIZE + 8 }, (_, i) => random.normal() + (i >= SIZE + 4 ? 1 : 0)),
    )
    const value = (at: Numbers) => weighted(interpretAt(graph, at), upstream)
    const direction = point.map(() => random.normal())
    const slope = steadySlope(value, point, direction)
    if (
      slope === null ||
      !holdsInFloat32(interpretAt(graph, point), interpretAt(graph, Float32Array.from(point)))
    ) {
      passedOver++
      continue
    }
    const [v0, v1] = [point.slice(SIZE, SIZE + 4), point.slice(SIZE + 4)]
    const vectors: Vectors = { v0, v1, gamma: [1, 1, 1, 1], beta: [0, 0, 0, 0] }
    const [derived, own] = ([undefined, 'tape'] as const).map((lowering) => {
      const site = createSite(graph, SHAPE, GROUPS, vectors, lowering)
      const { gradients } = site.run(point.subarray(0, SIZE), upstream, { training: true })
      site.dispose()
      const none = {
        x: new Float32Array(SIZE),
        v0: new Float32Array(4),
        v1: new Float32Array(4),
        ...gradients,
      }
      return [...none.x, ...none.v0, ...none.v1]
    }) as [number[], number[]]
    const along = derived.map((g, i) => g * direction[i]!)
    const got = along.reduce((a, b) => a + b, 0)
    const scale = Math.hypot(...along) + Math.abs(slope) + 1e-2
    const text = formulaText(graph)
    assert.ok(Math.abs(got - slope) < 1e-3 * scale, `${text}: slope ${got}, by finite differences ${slope}`)
    // Of an abs(x) / x, whose gradient is 0, tfjs computes the difference of two numbers.
    const largest = Math.max(...own.map(Math.abs), 0.1)
    const off = Math.max(...own.map((g, i) => Math.abs(g - derived[i]!))) / largest
    assert.ok(off < 1e-3, `${text}: a gradient is off tfjs’s own by ${off}`)
    compared++
  }
  assert.ok(passedOver < 100, `${passedOver} layers could not be compared`)
})

const interpretAt = (graph: Parameters<typeof interpret>[0], at: Numbers): Numbers =>
  interpret(
    graph,
    { shape: SHAPE, data: at.subarray(0, SIZE) },
    at.subarray(SIZE, SIZE + 4),
    at.subarray(SIZE + 4),
    GROUPS,
  )

const weighted = (y: Numbers, weights: Float32Array): number =>
  weights.reduce((sum, weight, i) => sum + y[i]! * weight, 0)

/**
 * The slope along `direction` by central differences, or null where it is not steady: between kinks of max and abs
 * and near a root of zero, differences of two widths, or at two points that float32 can hardly tell apart, differ.
 */
const steadySlope = (value: (at: Point) => number, point: Point, direction: Point): number | null => {
  const slope = (at: Point, h: number): number => {
    const moved = (step: number) => at.map((v, i) => v + step * direction[i]!)
    return (value(moved(h)) - value(moved(-h))) / (2 * h)
  }
  const fine = slope(point, 1e-6)
  const nearby = point.map((v, i) => v * (1 + (i % 2 === 0 ? 1e-6 : -1e-6)))
  const others = [slope(point, 1e-5), slope(nearby, 1e-6)]
  const steady = others.every((other) => Math.abs(other - fine) <= 1e-4 * (Math.abs(fine) + 1e-3))
  return steady ? fine : null
}

/** Whether float32 gives the same as float64: a layer that amplifies rounding says nothing about the engine. */
const holdsInFloat32 = (exact: Numbers, single: Numbers): boolean => {
  const scale = Math.max(...exact.map(Math.abs)) / 100 + 0.01
  return exact.every((v, i) => Math.abs(v - single[i]!) <= 1e-5 * (Math.abs(v) + scale))
}
