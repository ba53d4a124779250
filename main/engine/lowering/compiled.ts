import { canonical } from '../../../shared/canonical.ts'
import { deriveLayer, type LayerProgram } from '../../../shared/derivative.ts'
import { INPUTS, type Graph } from '../../../shared/graph.ts'
import type { Instruction, Size, Sizes } from '../../../shared/symbolic/program.ts'
import type { LayerInput } from '../../../shared/symbolic/forward.ts'
import { scalar } from '../../../shared/symbolic/instructions.ts'

/** A piece of a layer's program with what goes in and out, in the order of the tensors at run time. */
export type Piece = {
  readonly instructions: readonly Instruction[]
  readonly sizes: Sizes
  readonly inputs: readonly number[]
  readonly outputs: readonly number[]
}

const VECTORS: readonly LayerInput[] = ['v0', 'v1']

/** A layer graph ready to run, at any number of channels. */
export type Compiled = {
  /** The inputs that the layer has, x first. */
  readonly names: readonly LayerInput[]
  /** Nodes (of the canonical graph) whose batch statistic is kept as a moving average, in order. */
  readonly statistics: readonly number[]
  /** From the named inputs and the old moving averages: y, the new moving averages, and `saved`. */
  readonly training: Piece
  /** How many of the backward's inputs are results of the forward (its last ones). */
  readonly saved: number
  /** The named inputs that the backward needs. */
  readonly needed: readonly LayerInput[]
  /** From dy, the needed inputs and `saved`: the gradients, in the order of `influential`. */
  readonly backward: Piece
  /** The named inputs that have an influence on y. */
  readonly influential: readonly LayerInput[]
  /** From the named inputs and the moving averages: y. */
  readonly inference: Piece
}

/**
 * Derives a layer's programs; `decay` is the weight of the past in the moving averages. The vectors named in `perSample`
 * are `[batch, 1, 1, channels]`, the others `[channels]`.
 */
export const compileLayer = (
  graph: Graph,
  decay: number,
  perSample: readonly LayerInput[] = [],
): Compiled => {
  const form = canonical(graph)
  const training = deriveLayer(form, 'training', { perSample })
  const inference = deriveLayer(form, 'inference', { perSample })
  const backward = training.backward!
  const used = new Set(form.nodes.flatMap(({ inputs }) => inputs))
  const names = (Object.keys(training.inputs) as LayerInput[]).filter(
    (name) => !VECTORS.includes(name) || used.has((INPUTS as readonly string[]).indexOf(name)),
  )
  const bound = names.map((name) => training.inputs[name]!)
  const { forward, sizes, olds, news } = withMovingAverages(training, decay)
  const saved = backward.saved.filter((tensor) => !bound.includes(tensor))
  const needed = names.filter((name) => backward.saved.includes(training.inputs[name]!))
  const influential = names.filter((name) => typeof backward.gradients[name] === 'number')
  return {
    names,
    statistics: training.statistics.map(({ node }) => node),
    training: {
      instructions: forward,
      sizes,
      inputs: [...bound, ...olds],
      outputs: [training.y, ...news, ...saved],
    },
    saved: saved.length,
    needed,
    backward: {
      instructions: backward.instructions,
      sizes,
      inputs: [backward.dy, ...needed.map((name) => training.inputs[name]!), ...saved],
      outputs: influential.map((name) => backward.gradients[name]!),
    },
    influential,
    inference: {
      instructions: inference.forward,
      sizes: inference.sizes,
      inputs: [
        ...names.map((name) => inference.inputs[name]!),
        ...inference.statistics.map(({ tensor }) => tensor),
      ],
      outputs: [inference.y],
    },
  }
}

/** The forward with moving ← decay · moving + (1 − decay) · statistic joined on. */
const withMovingAverages = ({ forward, sizes, statistics }: LayerProgram, decay: number) => {
  const all = new Map<number, Size>(sizes)
  const added: Instruction[] = []
  const tensor = (): number => {
    all.set(all.size, 'c')
    return all.size - 1
  }
  const write = (op: 'mul' | 'add', inputs: Instruction['inputs']): number => {
    const output = tensor()
    added.push({ op, inputs, output, size: 'c' })
    return output
  }
  const olds = statistics.map(tensor)
  const news = statistics.map((statistic, i) =>
    write('add', [
      write('mul', [olds[i]!, scalar(decay)]),
      write('mul', [statistic.tensor, scalar(1 - decay)]),
    ]),
  )
  return { forward: [...forward, ...added], sizes: all, olds, news }
}
