/**
 * A layer graph as a differentiable op on `[batch, height, width, channels]`. Op semantics are those of
 * shared/ops.ts (Liu et al. 2020, table 1). It runs by the program that shared/derivative.ts derives: as one op forward and
 * one backward of the engine's own kernel where that is to be had, else by TensorFlow's ops.
 */
import { canonical, fingerprint } from '../../shared/canonical.ts'
import { parseFormula } from '../../shared/formula.ts'
import { INPUTS, type Graph } from '../../shared/graph.ts'
import { groupsFor, OPS } from '../../shared/ops.ts'
import { requireLegal } from '../../shared/rules.ts'
import type { LayerInput } from '../../shared/symbolic/forward.ts'
import { batchNorm } from './batchnorm.ts'
import { hasKernels } from './kernels.ts'
import { compileLayer, type Compiled, type Piece } from './lowering/compiled.ts'
import { runByKernel, suitsKernel } from './lowering/kernel.ts'
import { runByOps } from './lowering/ops.ts'
import { compileSecond, runSecondOrder, type SecondPieces } from './lowering/second.ts'
import { runOnTape } from './lowering/tape.ts'
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
/** How a layer runs: by the engine's own kernels, by TensorFlow's ops, or op by op on tfjs's tape. */
export type Lowering = 'kernels' | 'ops' | 'tape'

const BN = fingerprint(parseFormula('(x - mean_nhw(x)) / std_nhw(x) * v1 + v0', false))
const BN_RELU = fingerprint(parseFormula('max((x - mean_nhw(x)) / std_nhw(x) * v1 + v0, 0)', false))
const START = { v0: 0, v1: 1, gamma: 1, beta: 0 }

/** Builds a layer for sites of `channels` channels; its trainable vectors and moving statistics join `parameters`. */
export const createLayer = (
  graph: Graph,
  channels: number,
  groups: number,
  parameters: Parameters,
  lowering?: Lowering,
): Layer => {
  const site = createSite(graph, channels, groups, parameters, [])
  const chosen = chosenLowering(lowering)
  const fused = chosen === 'ops' && (site.print === BN || site.print === BN_RELU)
  return (x, mode) =>
    fused && mode.training && !mode.secondOrder ? fusedBatchNorm(site, x) : apply(site, x, mode, chosen)
}

/** γ and β, `[batch, 1, 1, channels]`. */
export type Affine = { readonly gamma: Tensor; readonly beta: Tensor }
export type ConditionalLayer = (x: Tensor, affine: Affine, mode: Mode) => Tensor

/**
 * A layer whose affine is given for each sample (class and noise decide it in a generator; Dumoulin et al. 2017) and
 * takes the place of the layer's own: of the closing γ·y + β where it has one (searched layers, EvoNorm); of v1 and v0
 * where it has none but uses both, as BN-ReLU and its kin, whose affine stands between norm and activation. A layer that
 * has neither is closed by it. Other vectors, as EvoNorm-S0's v1, stay trainable.
 */
export const createConditionalLayer = (
  graph: Graph,
  channels: number,
  groups: number,
  parameters: Parameters,
  lowering?: Lowering,
): ConditionalLayer => {
  const used = new Set(canonical(graph).nodes.flatMap(({ inputs }) => inputs))
  const inside = !graph.affine && (['v0', 'v1'] as const).every((name) => used.has(INPUTS.indexOf(name)))
  const [scale, offset] = inside ? (['v1', 'v0'] as const) : (['gamma', 'beta'] as const)
  const closed = inside ? graph : { ...graph, affine: true }
  const site = createSite(closed, channels, groups, parameters, [scale, offset])
  const chosen = chosenLowering(lowering)
  return (x, { gamma, beta }, mode) => {
    const vectors = new Map([...site.vectors, [scale, gamma] as const, [offset, beta] as const])
    return apply({ ...site, vectors }, x, mode, chosen)
  }
}

const chosenLowering = (lowering: Lowering | undefined): Lowering =>
  lowering ?? asked() ?? (hasKernels() ? 'kernels' : 'ops')

const apply = (site: Site, x: Tensor, mode: Mode, chosen: Lowering): Tensor => {
  const second = mode.secondOrder && mode.training && chosen === 'kernels' ? secondOf(site) : null
  if (second) return runSecondOrder(second, site.compiled, site.groups, inputsOf(site, x))
  if (mode.secondOrder || chosen === 'tape') return onTape(site, x, mode)
  return mode.training ? training(site, x, chosen) : inference(site, x, chosen)
}

/** `given`: vectors that come with each call. */
const createSite = (
  graph: Graph,
  channels: number,
  groups: number,
  parameters: Parameters,
  given: readonly LayerInput[],
): Site => {
  requireLegal(graph, 'layer')
  const print = fingerprint(graph)
  const compiled = compiledLayer(graph, print, given)
  const vectors = new Map<LayerInput, Variable>()
  for (const name of ['v0', 'v1', 'gamma', 'beta'] as const)
    if (compiled.names.includes(name) && !given.includes(name))
      vectors.set(name, parameters.vector(channels, START[name]))
  const form = canonical(graph)
  const isMean = compiled.statistics.map((node) => OPS[form.nodes[node]!.op].moment === 'mean')
  const moving = isMean.map((mean) => parameters.statistic(channels, mean ? 0 : 1))
  return { graph: form, print, compiled, vectors, moving, isMean, groups: groupsFor(channels, groups) }
}

/** NORMFORGE_LAYERS=ops or tape: a way to tell where a difference comes from. */
const asked = (): Lowering | undefined =>
  (['ops', 'tape'] as const).find((lowering) => lowering === process.env.NORMFORGE_LAYERS)

type Site = {
  readonly graph: Graph
  readonly print: string
  readonly compiled: Compiled
  readonly vectors: ReadonlyMap<LayerInput, Tensor>
  readonly moving: readonly Variable[]
  /** Whether a moving average is of a mean and not of a second moment, one for each. */
  readonly isMean: readonly boolean[]
  readonly groups: number
}

const COMPILED = new Map<string, Compiled>()
/** Layers whose programs are kept: the candidate's, the plain norms', and a few more. */
const KEPT = 8

const compiledLayer = (graph: Graph, print: string, perSample: readonly LayerInput[]): Compiled => {
  const key = [print, ...perSample].join()
  const compiled = COMPILED.get(key) ?? compileLayer(graph, DECAY, perSample)
  COMPILED.delete(key)
  COMPILED.set(key, compiled)
  if (COMPILED.size > KEPT) COMPILED.delete(COMPILED.keys().next().value!)
  return compiled
}

const SECOND = new WeakMap<Compiled, SecondPieces | null>()

/** The pieces for second derivatives, derived when first asked for; null where they are left to tfjs's tape. */
const secondOf = ({ graph, compiled, vectors }: Site): SecondPieces | null => {
  const known = SECOND.get(compiled)
  if (known !== undefined) return known
  const perSample = [...vectors.values()].some(({ rank }) => rank > 1)
  const pieces = perSample ? null : compileSecond(graph, compiled)
  SECOND.set(compiled, pieces)
  return pieces
}

const run = (
  piece: Piece,
  shape: readonly number[],
  site: Site,
  chosen: Lowering,
  tensors: Tensor[],
): Tensor[] =>
  chosen === 'kernels' && suitsKernel(piece)
    ? runByKernel(piece, site.groups, tensors)
    : runByOps(piece, shape, site.groups, tensors)

const inputsOf = ({ compiled, vectors }: Site, x: Tensor): Tensor[] =>
  compiled.names.map((name) => (name === 'x' ? x : vectors.get(name)!))

const inference = (site: Site, x: Tensor, chosen: Lowering): Tensor =>
  run(site.compiled.inference, x.shape, site, chosen, [...inputsOf(site, x), ...site.moving])[0]!

type Save = (tensors: Tensor[]) => void
type CustomGrad = (
  f: (...given: [...Tensor[], Save]) => {
    value: Tensor
    gradFunc: (dy: Tensor, saved: Tensor[]) => Tensor[]
  },
) => (...inputs: Tensor[]) => Tensor

const training = (site: Site, x: Tensor, chosen: Lowering): Tensor => {
  const { tf } = loadRuntime()
  const { compiled, moving } = site
  const { names, needed, influential } = compiled
  const op = (tf.customGrad as unknown as CustomGrad)((...given) => {
    const save = given.at(-1) as Save
    const inputs = given.slice(0, -1) as Tensor[]
    const [y, ...rest] = run(compiled.training, x.shape, site, chosen, [...inputs, ...moving])
    moving.forEach((variable, i) => variable.assign(rest[i] as typeof variable))
    save([...needed.map((name) => inputs[names.indexOf(name)]!), ...rest.slice(moving.length)])
    const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] => {
      const gradients = run(compiled.backward, x.shape, site, chosen, [dy, ...saved])
      return names.map((name, i) => gradients[influential.indexOf(name)] ?? tf.zeros(inputs[i]!.shape))
    }
    return { value: y!, gradFunc }
  })
  return op(...inputsOf(site, x))
}

/** The same function as TensorFlow's fused kernel, a third of the passes over x. */
const fusedBatchNorm = ({ print, vectors, moving, isMean }: Site, x: Tensor): Tensor => {
  const y = batchNorm(x, vectors.get('v1')!, vectors.get('v0')!, (mean, variance) =>
    moving.forEach((variable, i) => track(isMean[i] ? mean : variance, variable)),
  )
  return print === BN_RELU ? loadRuntime().tf.relu(y) : y
}

const onTape = ({ graph, compiled, vectors, moving, groups }: Site, x: Tensor, mode: Mode): Tensor => {
  const kept = (node: number): Variable | null => moving[compiled.statistics.indexOf(node)] ?? null
  return runOnTape(graph, groups, {
    x,
    vector: (name) => vectors.get(name) ?? null,
    moving: (node) => (mode.training ? null : kept(node)),
    observe: (node, statistic) => {
      const variable = kept(node)
      if (variable) track(statistic, variable)
    },
  })
}

const track = (value: Tensor, moving: Variable): void => {
  moving.assign(moving.mul(DECAY).add(value.mul(1 - DECAY)) as typeof moving)
}
