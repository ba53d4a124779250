/**
 * A layer graph as a differentiable op on `[batch, height, width, channels]`. Op semantics are those of
 * shared/ops.ts (Liu et al. 2020, table 1). Aggregates stay at their reduced shape (`[1,1,1,C]`, `[N,1,1,C]`,
 * `[N,1,1,1]`) and broadcast where they are used, so that few passes go over full-size tensors.
 */
import { canonical, fingerprint } from '../../shared/canonical.ts'
import { parseFormula } from '../../shared/formula.ts'
import { INPUTS, type Graph } from '../../shared/graph.ts'
import { EPSILON, OPS, groupsFor, type IndexSet, type Moment, type OpName } from '../../shared/ops.ts'
import { requireLegal } from '../../shared/rules.ts'
import { batchNorm } from './batchnorm.ts'
import { broadcastTo, select } from './gradients/elementwise.ts'
import type { Parameters } from './parameters.ts'
import { loadRuntime, type Tensor, type Variable } from './runtime.ts'

/** Weight of the past in a moving average of batch statistics. */
const DECAY = 0.9

export type Mode = {
  readonly training: boolean
  /** Use only ops that have second derivatives (the stability test). */
  readonly secondOrder?: boolean
}
export type Layer = (x: Tensor, mode: Mode) => Tensor

const BN = fingerprint(parseFormula('(x - mean_nhw(x)) / std_nhw(x) * v1 + v0', false))
const BN_RELU = fingerprint(parseFormula('max((x - mean_nhw(x)) / std_nhw(x) * v1 + v0, 0)', false))

/** Builds a layer for sites of `channels` channels; its trainable vectors and moving statistics join `parameters`. */
export const createLayer = (
  graph: Graph,
  channels: number,
  groups: number,
  parameters: Parameters,
): Layer => {
  requireLegal(graph, 'layer')
  const { nodes, affine } = canonical(graph)
  const used = new Set(nodes.flatMap((node) => node.inputs))
  const vectors = [
    null,
    null,
    used.has(2) ? parameters.vector(channels, 0) : null,
    used.has(3) ? parameters.vector(channels, 1) : null,
  ]
  const gamma = affine ? parameters.vector(channels, 1) : null
  const beta = affine ? parameters.vector(channels, 0) : null
  const moving = nodes.map(({ op }) =>
    OPS[op].over === 'nhw'
      ? { first: parameters.statistic(channels, 0), second: parameters.statistic(channels, 1) }
      : null,
  )
  const print = fingerprint(graph)
  const positive = atLeastEpsilon(nodes)
  const groupCount = groupsFor(channels, groups)

  return (x, mode) => {
    const { tf } = loadRuntime()
    if (!mode.secondOrder && mode.training && (print === BN || print === BN_RELU)) {
      // The same function as one fused kernel, a third of the passes over x.
      const statistics = moving.filter((m) => m !== null)
      const y = batchNorm(x, vectors[3]!, vectors[2]!, (mean, variance) =>
        statistics.forEach((m) => {
          track(mean, m.first)
          track(variance, m.second)
        }),
      )
      return print === BN_RELU ? tf.relu(y) : y
    }
    const tensors: Tensor[] = [x, tf.scalar(0), vectors[2] ?? tf.scalar(0), vectors[3] ?? tf.scalar(1)]
    for (const [i, { op, inputs }] of nodes.entries()) {
      const a = tensors[inputs[0]!]!
      const { moment, over } = OPS[op]
      if (moment && over)
        tensors.push(aggregate(a, moment, over, groupCount, mode, moving[i] ?? null, channels))
      else tensors.push(elementwise(op, a, tensors[inputs[1] ?? inputs[0]!]!, positive[inputs[1] ?? 0]!))
    }
    const y = broadcastTo(tensors.at(-1)!, x.shape)
    return gamma && beta ? y.mul(gamma).add(beta) : y
  }
}

const track = (value: Tensor, moving: Variable): void => {
  moving.assign(moving.mul(DECAY).add(value.mul(1 - DECAY)) as typeof moving)
}

/** For each tensor of the graph: whether its magnitude is at least ε whatever x is, so that dividing needs no guard. */
const atLeastEpsilon = (nodes: Graph['nodes']): boolean[] => {
  const known = INPUTS.map(() => false)
  for (const { op, inputs } of nodes) {
    const [a, b] = inputs.map((input) => known[input]!)
    const { moment } = OPS[op]
    if (moment) known.push(moment !== 'mean')
    else if (op === 'max') known.push(a! || b!)
    else known.push(op === 'add' && a! && b!)
  }
  return known
}

const elementwise = (op: OpName, a: Tensor, b: Tensor, bIsSafe: boolean): Tensor => {
  const { tf } = loadRuntime()
  const signedOf = (f: (magnitude: Tensor) => Tensor): Tensor => tf.sign(a).mul(f(tf.abs(a).add(EPSILON)))
  switch (op) {
    case 'add':
      return a.add(b)
    case 'mul':
      return a.mul(b)
    case 'div':
      return a.div(bIsSafe ? b : guarded(b))
    case 'max':
      return tf.maximum(a, b)
    case 'neg':
      return a.neg()
    case 'sigmoid':
      return tf.sigmoid(a)
    case 'tanh':
      return tf.tanh(a)
    case 'exp':
      return tf.exp(a)
    case 'log':
      return signedOf(tf.log)
    case 'abs':
      return tf.abs(a)
    case 'square':
      return tf.square(a)
    case 'sqrt':
      return signedOf(tf.sqrt)
    default:
      throw new Error(`layer: ${op} is an aggregate, not an elementwise op`)
  }
}

/** A denominator with magnitude at least ε, its sign kept (0 counts as positive). */
const guarded = (y: Tensor): Tensor => {
  const { tf } = loadRuntime()
  const least = select(tf.less(y, 0), tf.scalar(-EPSILON), tf.scalar(EPSILON))
  return select(tf.less(tf.abs(y), EPSILON), least, y)
}

const AXES: Record<Exclude<IndexSet, 'hwg'>, number[]> = { nhw: [0, 1, 2], hwc: [1, 2, 3], hw: [1, 2] }

type Moving = { readonly first: Variable; readonly second: Variable }

const aggregate = (
  input: Tensor,
  moment: Moment,
  over: IndexSet,
  groups: number,
  { training }: Mode,
  moving: Moving | null,
  channels: number,
): Tensor => {
  // An operand may be smaller than x (a vector, another aggregate): its moments are those of its broadcast.
  const rank4 = [...Array<number>(4 - input.shape.length).fill(1), ...input.shape]
  const a = input.reshape(rank4)
  const root = (second: Tensor): Tensor => second.add(EPSILON).sqrt()
  if (over === 'nhw' && moving && !training) {
    if (moment === 'mean') return moving.first
    return root(moving.second)
  }
  if (over === 'hwg' && rank4[3] !== 1) {
    const [n, h, w, c] = rank4 as [number, number, number, number]
    const grouped = a.reshape([n, h, w, groups, c / groups])
    const value = momentOf(grouped, [1, 2, 4], moment)
    const perGroup = moment === 'mean' ? value.first! : root(value.second!)
    return broadcastTo(perGroup, [n, 1, 1, groups, c / groups]).reshape([n, 1, 1, c])
  }
  const { first, second } = momentOf(a, over === 'hwg' ? [1, 2] : AXES[over], moment)
  if (moving) {
    if (first) track(broadcastTo(first.reshape([first.size]), [channels]), moving.first)
    if (second) track(broadcastTo(second.reshape([second.size]), [channels]), moving.second)
  }
  return moment === 'mean' ? first! : root(second!)
}

/** Mean, and second moment (about zero for rms, about the mean for std), keeping dimensions. */
const momentOf = (
  a: Tensor,
  axes: number[],
  moment: Moment,
): { first: Tensor | null; second: Tensor | null } => {
  if (moment === 'rms') return { first: null, second: a.square().mean(axes, true) }
  const first = a.mean(axes, true)
  return { first, second: moment === 'std' ? a.sub(first).square().mean(axes, true) : null }
}
