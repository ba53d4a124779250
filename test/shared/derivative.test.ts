import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomLayer } from '../../main/search/mutate.ts'
import { canonical } from '../../shared/canonical.ts'
import { deriveLayer, deriveSecond, type DeriveOptions } from '../../shared/derivative.ts'
import { parseFormula } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { interpret, type Shape } from '../../shared/interpret.ts'
import { KNOWN, knownLayer } from '../../shared/known.ts'
import { createRandom } from '../../shared/random.ts'
import { costOf } from '../../shared/symbolic/program.ts'
import { deviation, graphOf, LAYERS } from '../reference/layers.ts'
import { randomWorst, worstLayers } from './adversary.ts'
import { runProgram } from './run-program.ts'

type Inputs = Record<'x' | 'v0' | 'v1' | 'gamma' | 'beta', Float64Array>
type Results = { y: Float64Array; gradients: Inputs }

/** The derived program, run on inputs spread out to the full shape; gradients of vectors summed back to `[c]`. */
const run = (
  graph: Graph,
  given: Inputs,
  dy: Float64Array,
  shape: Shape,
  groups: number,
  options: DeriveOptions = {},
): Results => {
  const c = shape[3]
  const program = deriveLayer(canonical(graph), 'training', options)
  const bound = new Map<number, Float64Array>()
  const spread = (v: Float64Array): Float64Array => (v.length === c ? dy.map((_, i) => v[i % c]!) : v)
  for (const [name, tensor] of Object.entries(program.inputs))
    bound.set(tensor, spread(given[name as keyof Inputs]))
  runProgram(program.forward, program.sizes, shape, groups, bound)
  const { backward } = program
  // The backward gets what it says it needs and no more.
  const forBackward = new Map(backward!.saved.map((tensor) => [tensor, bound.get(tensor)!]))
  forBackward.set(backward!.dy, dy)
  runProgram(backward!.instructions, program.sizes, shape, groups, forBackward)
  const gradient = (name: keyof Inputs): Float64Array => {
    const tensor = backward!.gradients[name]
    const full = tensor === null || tensor === undefined ? dy.map(() => 0) : forBackward.get(tensor)!
    return name === 'x' ? full : full.slice(0, c)
  }
  const gradients = {
    x: gradient('x'),
    v0: gradient('v0'),
    v1: gradient('v1'),
    gamma: gradient('gamma'),
    beta: gradient('beta'),
  }
  return { y: bound.get(program.y)!, gradients }
}

for (const reference of LAYERS.cases)
  test(`${reference.name} on ${reference.input}: value and gradients equal PyTorch's`, () => {
    const { shape, groups } = LAYERS
    const [v0, v1, gamma, beta, dy] = [LAYERS.v0, LAYERS.v1, LAYERS.gamma, LAYERS.beta, LAYERS.dy].map((v) =>
      Float64Array.from(v),
    ) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array]
    const x = Float64Array.from(LAYERS[reference.input])
    const { y, gradients } = run(graphOf(reference), { x, v0, v1, gamma, beta }, dy, shape, groups)
    const wanted = {
      y: reference.y,
      x: reference.dx,
      v0: reference.dv0,
      v1: reference.dv1,
      gamma: reference.dgamma,
      beta: reference.dbeta,
    }
    for (const [name, values] of Object.entries(wanted)) {
      const got = name === 'y' ? y : gradients[name as keyof Inputs]
      if (values) assert.ok(deviation(got, values) < 6e-6, `${name} off by ${deviation(got, values)}`)
      else if (values === null)
        assert.ok(
          got.every((v) => v === 0),
          `${name} should have no influence`,
        )
    }
  })

const SHAPE: Shape = [3, 2, 2, 4]
const GROUPS = 2
const SIZE = SHAPE.reduce((a, b) => a * b, 1)

/** Σ dy · y by the plain interpreter. */
const loss = (graph: Graph, { x, v0, v1, gamma, beta }: Inputs, dy: Float64Array): number => {
  const f = interpret(graph, { shape: SHAPE, data: x }, v0, v1, GROUPS)
  const c = SHAPE[3]
  return dy.reduce((sum, d, i) => sum + d * (graph.affine ? gamma[i % c]! * f[i]! + beta[i % c]! : f[i]!), 0)
}
const NAMES = ['x', 'v0', 'v1', 'gamma', 'beta'] as const

const randomInputs = (seed: string): { given: Inputs; directions: Inputs; dy: Float64Array } => {
  const random = createRandom('derivative', seed)
  const vector = (size: number, mean = 0): Float64Array =>
    Float64Array.from({ length: size }, () => mean + random.normal())
  const all = (): Inputs => ({
    x: vector(SIZE),
    v0: vector(SHAPE[3]),
    v1: vector(SHAPE[3]),
    gamma: vector(SHAPE[3], 1),
    beta: vector(SHAPE[3]),
  })
  return { given: all(), directions: all(), dy: vector(SIZE) }
}

/** The change of the loss along a direction; null where it is not smooth enough to be told from values. */
const slope = (
  graph: Graph,
  given: Inputs,
  name: keyof Inputs,
  direction: Float64Array,
  dy: Float64Array,
) => {
  const at = (h: number): number =>
    loss(graph, { ...given, [name]: given[name].map((v, i) => v + h * direction[i]!) }, dy)
  const central = (h: number): number => (at(h) - at(-h)) / (2 * h)
  const [coarse, fine] = [central(2e-5), central(1e-5)]
  const scale = Math.max(1, Math.abs(fine), Math.abs(at(0)))
  return Math.abs(coarse - fine) < 1e-6 * scale ? { fine, scale } : null
}

test('a reciprocal alone is not taken for one of its fellows', () => {
  const graph = parseFormula('max(x / rms_hw(v0), x)')
  const { given, dy } = randomInputs('reciprocal')
  const { y } = run(graph, given, dy, SHAPE, GROUPS)
  assert.ok(Math.abs(y.reduce((sum, v, i) => sum + v * dy[i]!, 0) - loss(graph, given, dy)) < 1e-9)
})

test('a coefficient that terms share is multiplied once, and its sign stays with it', () => {
  const passes = (formula: string): number => {
    const { forward, sizes } = deriveLayer(canonical(parseFormula(formula)), 'training')
    return costOf(forward, sizes).passes
  }
  // tanh, sigmoid, their sum, times γ, plus β.
  assert.equal(passes('tanh(x) + sigmoid(x)'), 5)
  assert.equal(passes('tanh(x) - sigmoid(x)'), 5)
  // tanh, times −v1 · γ, plus β.
  assert.equal(passes('tanh(x) * -v1'), 3)
})

/** Value as interpreted, gradients as finite differences; how many slopes were smooth enough to tell, how many not 0. */
const compareWithDifferences = (
  graphs: readonly Graph[],
  seed?: string,
): { smooth: number; influential: number } => {
  let smooth = 0
  let influential = 0
  for (const [i, graph] of graphs.entries()) {
    const { given, directions, dy } = randomInputs(seed ?? String(i))
    const { y, gradients } = run(graph, given, dy, SHAPE, GROUPS)
    const value = y.reduce((sum, v, j) => sum + v * dy[j]!, 0)
    const wanted = loss(graph, given, dy)
    if (!Number.isFinite(wanted) || Math.abs(wanted) > 1e8) continue
    const text = JSON.stringify(graph.nodes)
    assert.ok(
      Math.abs(value - wanted) < 1e-9 * Math.max(1, Math.abs(wanted)),
      `${text}: ${value}, not ${wanted}`,
    )
    for (const name of NAMES) {
      const measured = slope(graph, given, name, directions[name], dy)
      if (!measured) continue
      smooth++
      const derived = gradients[name].reduce((sum, v, j) => sum + v * directions[name][j]!, 0)
      if (derived !== 0) influential++
      assert.ok(
        Math.abs(derived - measured.fine) < 1e-5 * measured.scale,
        `${text}: along ${name} ${derived}, not ${measured.fine}`,
      )
    }
  }
  return { smooth, influential }
}

test('1,000 random layers: value as interpreted, gradients as finite differences', () => {
  const random = createRandom('derivative', 'layers')
  const graphs = Array.from({ length: 1000 }, () => randomLayer('B', random))
  const { smooth, influential } = compareWithDifferences(graphs)
  // Most must have been smooth enough to tell, and many must have depended on something.
  assert.ok(smooth > 4000 && influential > 1500, `${smooth} smooth, ${influential} influential`)
})

/** Whether no tensor on the way is so large that a product of some of them leaves the range of numbers. */
const isTame = ({ nodes }: Graph, { x, v0, v1 }: Inputs): boolean =>
  nodes.every((_, i) => {
    const upTo: Graph = { version: 1, nodes: nodes.slice(0, i + 1), affine: false }
    return interpret(upTo, { shape: SHAPE, data: x }, v0, v1, GROUPS).every((v) => Math.abs(v) < 1e6)
  })

test('layers of 64 nodes, made to be hard to derive, too', () => {
  const random = createRandom('derivative', 'worst')
  const doublings = [4, 5, 6].map((tower): Graph => {
    const nodes = Array.from({ length: tower }, (_, i) => ({
      op: 'mul' as const,
      inputs: i === 0 ? [0, 0] : [3 + i, 3 + i],
    }))
    return { version: 1, nodes, affine: true }
  })
  const { given } = randomInputs('worst')
  const graphs = [...worstLayers(), ...Array.from({ length: 400 }, () => randomWorst(random))]
  const tame = graphs.filter((graph) => isTame(graph, given))
  const { smooth, influential } = compareWithDifferences([...doublings, ...tame], 'worst')
  assert.ok(smooth > 300 && influential > 100, `${smooth} smooth, ${influential} influential`)
})

/** Σ u · dx, and its gradient along a direction of x, v0, …, dy, by the second-order program. */
const second = (graph: Graph, given: Inputs, dy: Float64Array, u: Float64Array) => {
  const program = deriveSecond(canonical(graph))
  if (!program) return null
  const spread = (v: Float64Array): Float64Array =>
    v.length === SHAPE[3] ? dy.map((_, i) => v[i % SHAPE[3]]!) : v
  const bound = new Map<number, Float64Array>([
    [program.dy, dy],
    [program.cotangent, u],
  ])
  for (const [name, tensor] of Object.entries(program.inputs))
    bound.set(tensor, spread(given[name as keyof Inputs]))
  runProgram(program.instructions, program.sizes, SHAPE, GROUPS, bound)
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((sum, v, i) => sum + v * b[i]!, 0)
  return {
    value: dot(u, bound.get(program.dx)!),
    slope: (name: keyof Inputs | 'dy', direction: Float64Array): number => {
      const tensor = program.gradients[name]
      return typeof tensor === 'number' ? dot(direction, bound.get(tensor)!.slice(0, direction.length)) : 0
    },
  }
}

test('second derivatives of known and 200 random layers equal finite differences of the gradient', () => {
  const random = createRandom('derivative', 'second')
  const graphs = [
    ...KNOWN.map(({ graph }) => graph),
    ...Array.from({ length: 200 }, () => randomLayer('B', random)),
  ]
  let compared = 0
  graphs.forEach((graph, i) => {
    const { given, directions, dy } = randomInputs(`second ${i}`)
    const [u, toDy] = [randomInputs(`u ${i}`).dy, randomInputs(`dy ${i}`).dy]
    const middle = second(graph, given, dy, u)
    if (!middle || !Number.isFinite(middle.value) || Math.abs(middle.value) > 1e8) return
    const { gradients } = run(graph, given, dy, SHAPE, GROUPS)
    const first = gradients.x.reduce((sum, v, j) => sum + v * u[j]!, 0)
    assert.ok(
      Math.abs(first - middle.value) < 1e-8 * Math.max(1, Math.abs(first)),
      `dx: ${middle.value}, not ${first}`,
    )
    for (const name of [...NAMES, 'dy'] as const) {
      const direction = name === 'dy' ? toDy : directions[name]
      const at = (h: number): number => {
        const moved = (values: Float64Array): Float64Array => values.map((v, j) => v + h * direction[j]!)
        const inputs = name === 'dy' ? given : { ...given, [name]: moved(given[name]) }
        const { x } = run(graph, inputs, name === 'dy' ? moved(dy) : dy, SHAPE, GROUPS).gradients
        return x.reduce((sum, v, j) => sum + v * u[j]!, 0)
      }
      const central = (h: number): number => (at(h) - at(-h)) / (2 * h)
      const [coarse, fine] = [central(2e-5), central(1e-5)]
      const scale = Math.max(1, Math.abs(fine), Math.abs(middle.value))
      if (Math.abs(coarse - fine) > 1e-6 * scale) continue
      const derived = middle.slope(name, direction)
      if (derived !== 0) compared++
      assert.ok(
        Math.abs(derived - fine) < 1e-5 * scale,
        `${JSON.stringify(graph.nodes)}: along ${name} ${derived}, not ${fine}`,
      )
    }
  })
  assert.ok(compared > 200, `${compared} compared`)
})

test('keeping tensors for the backward and computing them anew give the same gradients', () => {
  const { given, dy } = randomInputs('keep')
  for (const name of ['EvoNorm-B0', 'EvoNorm-S0', 'BN-Swish']) {
    const { graph } = knownLayer(name)
    const anew = run(graph, given, dy, SHAPE, GROUPS)
    const kept = run(graph, given, dy, SHAPE, GROUPS, { keep: () => true })
    assert.deepEqual(kept, anew)
  }
})

test('the known layers need few passes over full-size tensors', () => {
  // By hand, EvoNorm-B0 takes 9 forward (the variance counted as one) and 15 backward where all is kept.
  const passes = (name: string): [forward: number, backward: number] => {
    const { forward, backward, sizes } = deriveLayer(canonical(knownLayer(name).graph), 'training', {
      keep: () => true,
    })
    return [costOf(forward, sizes).passes, costOf(backward!.instructions, sizes).passes]
  }
  assert.deepEqual(passes('EvoNorm-B0'), [9, 16])
  assert.deepEqual(passes('EvoNorm-S0'), [7, 14])
})
