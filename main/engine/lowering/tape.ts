import { INPUTS, type Graph } from '../../../shared/graph.ts'
import { EPSILON, OPS, type IndexSet, type Moment, type OpName } from '../../../shared/ops.ts'
import { broadcastTo, select } from '../gradients/elementwise.ts'
import { loadRuntime, type Tensor } from '../runtime.ts'

export type TapeInputs = {
  readonly x: Tensor
  readonly vector: (name: 'v0' | 'v1' | 'gamma' | 'beta') => Tensor | null
  /** At inference: the moving average of a node's batch statistic, null where none is kept. */
  readonly moving: (node: number) => Tensor | null
  /** In training: hears of each batch statistic, `[c]`. */
  readonly observe: (node: number, statistic: Tensor) => void
}

/**
 * A canonical layer graph as plain tfjs ops, one node after the other: tfjs's tape gives its derivatives of every
 * order. Aggregates stay at their reduced shape (`[1,1,1,C]`, `[N,1,1,C]`, `[N,1,1,1]`) and broadcast where they
 * are used. The stability test needs it, and it is what the compiled layers are compared with.
 */
export const runOnTape = ({ nodes }: Graph, groups: number, inputs: TapeInputs): Tensor => {
  const { tf } = loadRuntime()
  const { x, vector } = inputs
  const safe = atLeastEpsilon(nodes)
  const tensors: Tensor[] = [x, tf.scalar(0), vector('v0') ?? tf.scalar(0), vector('v1') ?? tf.scalar(1)]
  for (const [i, { op, inputs: from }] of nodes.entries()) {
    const a = tensors[from[0]!]!
    const second = from[1] ?? from[0]!
    const { moment, over } = OPS[op]
    const average = over === 'nhw' ? inputs.moving(i) : null
    if (!moment || !over) tensors.push(elementwise(op, a, tensors[second]!, safe[second]!))
    else if (average) tensors.push(moment === 'mean' ? average : root(average))
    else {
      const raw = momentOf(a, moment, over, groups)
      if (over === 'nhw') inputs.observe(i, broadcastTo(raw.reshape([raw.size]), [x.shape.at(-1)!]))
      tensors.push(moment === 'mean' ? raw : root(raw))
    }
  }
  const y = broadcastTo(tensors.at(-1)!, x.shape)
  const [gamma, beta] = [vector('gamma'), vector('beta')]
  return gamma && beta ? y.mul(gamma).add(beta) : y
}

const root = (second: Tensor): Tensor => second.add(EPSILON).sqrt()

/** Whether the magnitude of each of the graph’s tensors is at least ε whatever x is, so that dividing needs no guard. */
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

/** Mean, mean of squares (rms) or biased variance (std) over an index set, dimensions kept. */
const momentOf = (input: Tensor, moment: Moment, over: IndexSet, groups: number): Tensor => {
  // An operand may be smaller than x (a vector, another aggregate): its moments are those of its broadcast.
  const a = input.reshape([...Array<number>(4 - input.shape.length).fill(1), ...input.shape])
  const [n, h, w, c] = a.shape as [number, number, number, number]
  if (over !== 'hwg') return average(a, AXES[over], moment)
  if (c === 1) return average(a, [1, 2], moment)
  const perGroup = average(a.reshape([n, h, w, groups, c / groups]), [1, 2, 4], moment)
  return broadcastTo(perGroup, [n, 1, 1, groups, c / groups]).reshape([n, 1, 1, c])
}

const average = (a: Tensor, axes: number[], moment: Moment): Tensor => {
  if (moment === 'rms') return a.square().mean(axes, true)
  const mean = a.mean(axes, true)
  return moment === 'std' ? a.sub(mean).square().mean(axes, true) : mean
}
