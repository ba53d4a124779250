/**
 * A layer graph's forward and backward as a program of tensor instructions, derived symbolically and simplified together.
 *
 * For the engine: `deriveLayer(graph, 'training')` once a layer (a few milliseconds, no shapes needed), then at every site
 *
 *   1. bind `inputs` (x full; v0, v1, gamma, beta per channel; at inference the moving statistics),
 *   2. run `forward` in order: gives `y` and the batch `statistics`,
 *   3. bind `dy` and run `backward` in order on the tensors of the forward that it uses (`saved`): gives `gradients`
 *      (null: that input has no influence).
 *
 * Batch statistics (index set nhw) are outputs in training (mean, mean of squares or biased variance, to be averaged over
 * steps) and inputs at inference. The gradient treats batch statistics as functions of x, as training needs.
 *
 * `deriveSecond` gives the gradient with respect to x as a program of dy and the inputs, and its own gradient: from a
 * cotangent of it, the gradients with respect to dy and the inputs. The stability test needs them.
 */
import type { Graph } from './graph.ts'
import { createEmitter, sizeOf } from './symbolic/emit.ts'
import { from } from './symbolic/algebra.ts'
import { FULL, type Expression, type Value } from './symbolic/expression.ts'
import { forward, type LayerInput, type Statistic } from './symbolic/forward.ts'
import { planProducts } from './symbolic/products.ts'
import { costOf, type Instruction, type Sizes } from './symbolic/program.ts'
import { recomputed } from './symbolic/recompute.ts'
import { gradient, STRATEGIES, type Strategy } from './symbolic/reverse.ts'
import { createSymbols } from './symbolic/symbols.ts'

export type LayerProgram = {
  readonly sizes: Sizes
  /** Tensors to bind before the forward; an input the layer does not use is left out. */
  readonly inputs: Readonly<Partial<Record<LayerInput, number>>>
  readonly forward: readonly Instruction[]
  readonly y: number
  /** Per-channel batch statistics by node of the graph: results in training, to be bound at inference. */
  readonly statistics: readonly (Statistic & { readonly tensor: number })[]
  /** Training only. */
  readonly backward: Backward | null
}
export type Backward = {
  readonly dy: number
  readonly instructions: readonly Instruction[]
  /** Tensors of the forward (inputs too) that the backward uses. */
  readonly saved: readonly number[]
  readonly gradients: Readonly<Partial<Record<LayerInput, number | null>>>
}

export type DeriveOptions = {
  /** Which full-size tensors of the forward are kept for the backward rather than computed anew; none by default. */
  readonly keep?: (instruction: Instruction) => boolean
  /** What a program costs; the cheapest of several forms is chosen. */
  readonly cost?: (instructions: readonly Instruction[], sizes: Sizes) => number
  /** Vectors that have values for each sample and channel, not for each channel. */
  readonly perSample?: readonly LayerInput[]
}

/** The layer's program in training, or for inference with moving statistics. */
export const deriveLayer = (
  graph: Graph,
  mode: 'training' | 'inference',
  {
    keep = () => false,
    cost = (list, sizes) => costOf(list, sizes).cost,
    perSample = [],
  }: DeriveOptions = {},
): LayerProgram => {
  if (mode === 'inference') return derive(graph, mode, null, keep, perSample)
  const total = ({ forward, backward, sizes }: LayerProgram): number =>
    cost([...forward, ...backward!.instructions], sizes)
  const programs = STRATEGIES.map((strategy) => derive(graph, mode, strategy, keep, perSample))
  return programs.reduce((best, program) => (total(program) < total(best) ? program : best))
}

const derive = (
  graph: Graph,
  mode: 'training' | 'inference',
  strategy: Strategy | null,
  keep: (instruction: Instruction) => boolean,
  perSample: readonly LayerInput[],
): LayerProgram => {
  const symbols = createSymbols()
  const layer = forward(graph, mode, perSample, symbols)
  const names = Object.keys(layer.leaves) as LayerInput[]
  const leaves = names.map((name) => layer.leaves[name]!)
  const seed = symbols.arena.leaf('dy', FULL)
  const gradients = strategy ? gradient([[layer.y, from(seed)]], leaves, symbols, strategy) : []

  const statistics = mode === 'training' ? layer.statistics.map(({ value }) => value) : []
  const emitter = createEmitter(planProducts([layer.y, ...statistics, ...gradients]))
  const inputs = Object.fromEntries(
    names.map((name, i) => [name, emitter.bind(leaves[i]!, sizeOf(leaves[i]!.dims))]),
  ) as Record<LayerInput, number>
  const { writer } = emitter
  const kept = layer.statistics.map(({ node, kind, value }) => ({
    node,
    kind,
    tensor: mode === 'training' ? emitter.emit(value, 'c') : emitter.bind(leafOf(value), 'c'),
  }))
  const y = emitter.emit(layer.y, 'full')
  const forwards = [...writer.instructions]
  const program = { sizes: writer.sizes, inputs, forward: forwards, y, statistics: kept }
  if (!strategy) return { ...program, backward: null }

  const dy = emitter.bind(seed, 'full')
  const results = gradients.map((value, i) =>
    isZero(value) ? null : emitter.emit(value, sizeOf(leaves[i]!.dims)),
  )
  const bound = new Set([...Object.values(inputs), dy])
  const instructions = recomputed(
    forwards,
    writer.instructions.slice(forwards.length),
    bound,
    writer.sizes,
    keep,
  )
  return {
    ...program,
    backward: {
      dy,
      instructions,
      saved: savedBy(instructions, dy),
      gradients: Object.fromEntries(names.map((name, i) => [name, results[i]])),
    },
  }
}

/** What the instructions use and do not make. */
const savedBy = (instructions: readonly Instruction[], dy: number): number[] => {
  const made = new Set([dy, ...instructions.map(({ output }) => output)])
  const used = new Set(
    instructions.flatMap(({ inputs }) => inputs.filter((input) => typeof input === 'number')),
  )
  return [...used].filter((tensor) => !made.has(tensor)).sort((a, b) => a - b)
}

export type SecondProgram = {
  readonly sizes: Sizes
  readonly inputs: Readonly<Partial<Record<LayerInput, number>>>
  readonly dy: number
  readonly cotangent: number
  /** Everything, from the inputs on; not all of it is needed for each result. */
  readonly instructions: readonly Instruction[]
  /** The first `gradientLength` instructions give y and dx. */
  readonly gradientLength: number
  readonly y: number
  readonly dx: number
  /** Gradients of Σ cotangent · dx; null: no influence. */
  readonly gradients: Readonly<Partial<Record<LayerInput | 'dy', number | null>>>
}

/** Second derivatives of more expressions than this are left to another strategy: writing them would take seconds. */
export const MOST_EXPRESSIONS = 6000

/** The layer's second derivatives in training; null where x has no influence on y, or where no strategy is short. */
export const deriveSecond = (graph: Graph): SecondProgram | null => {
  const total = ({ instructions, sizes }: SecondProgram): number => costOf(instructions, sizes).cost
  const programs = STRATEGIES.map((strategy) => second(graph, strategy)).filter((program) => program !== null)
  if (programs.length === 0) return null
  return programs.reduce((best, program) => (total(program) < total(best) ? program : best))
}

const second = (graph: Graph, strategy: Strategy): SecondProgram | null => {
  const symbols = createSymbols()
  const layer = forward(graph, 'training', [], symbols)
  const names = Object.keys(layer.leaves) as LayerInput[]
  const seed = symbols.arena.leaf('dy', FULL)
  const cotangent = symbols.arena.leaf('cotangent', FULL)
  const [dx] = gradient([[layer.y, from(seed)]], [layer.leaves.x!], symbols, strategy)
  if (!dx || isZero(dx)) return null
  const leaves = [seed, ...names.map((name) => layer.leaves[name]!)]
  const gradients = gradient([[dx, from(cotangent)]], leaves, symbols, strategy)
  if (symbols.arena.size() > MOST_EXPRESSIONS) return null

  const emitter = createEmitter(planProducts([layer.y, dx, ...gradients]))
  const bind = (leaf: Expression): number => emitter.bind(leaf, sizeOf(leaf.dims))
  const [dyTensor, ...bound] = leaves.map(bind)
  const cotangentTensor = bind(cotangent)
  const [y, dxTensor] = [emitter.emit(layer.y, 'full'), emitter.emit(dx, 'full')]
  const { instructions, sizes } = emitter.writer
  const gradientLength = instructions.length
  const results = gradients.map((value, i) =>
    isZero(value) ? null : emitter.emit(value, sizeOf(leaves[i]!.dims)),
  )
  return {
    sizes,
    inputs: Object.fromEntries(names.map((name, i) => [name, bound[i]])),
    dy: dyTensor!,
    cotangent: cotangentTensor,
    instructions,
    gradientLength,
    y,
    dx: dxTensor,
    gradients: Object.fromEntries((['dy', ...names] as const).map((name, i) => [name, results[i]])),
  }
}

const isZero = (value: Value): boolean => value.terms.size === 0 && value.rest === 0
const leafOf = (value: Value): Expression => [...value.terms.keys()][0]!
