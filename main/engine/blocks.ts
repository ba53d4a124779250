/** The blocks that networks are made of, each with a layer at its norm-activation sites. */
import type { Tensor4D } from '@tensorflow/tfjs-node-gpu'
import type { Stage } from '../../shared/architectures/architecture.ts'
import { parseFormula } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { OPS } from '../../shared/ops.ts'
import { createLayer, type Layer, type Mode } from './layer.ts'
import type { Parameters } from './parameters.ts'
import { loadRuntime, type Tensor } from './runtime.ts'

export type Op = (x: Tensor, mode: Mode) => Tensor

/** What blocks are built with. */
export type Kit = {
  /** The layer, at a norm-activation site of so many channels. */
  readonly site: (channels: number) => Layer
  /** A plain norm, where an architecture normalises without activating. */
  readonly plain: (channels: number) => Layer
  readonly parameters: Parameters
}

const PLAIN = {
  batch: parseFormula('(x - mean_nhw(x)) / std_nhw(x) * v1 + v0', false),
  group: parseFormula('(x - mean_hwg(x)) / std_hwg(x) * v1 + v0', false),
}

/** The plain norm is batch norm, or group norm when the layer uses no batch statistics (the S series). */
export const createKit = (graph: Graph, groups: number, parameters: Parameters): Kit => {
  const usesBatch = graph.nodes.some((node) => OPS[node.op].over === 'nhw')
  return {
    site: (channels) => createLayer(graph, channels, groups, parameters),
    plain: (channels) => createLayer(usesBatch ? PLAIN.batch : PLAIN.group, channels, groups, parameters),
    parameters,
  }
}

/** A run of equal blocks on `channels` channels, the first with the stage's stride. */
export const stageOf = (kit: Kit, channels: number, stage: Stage): { op: Op; channels: number } => {
  const blocks: Op[] = []
  let from = channels
  for (let i = 0; i < stage.repeats; i++) {
    const stride = i === 0 ? stage.stride : 1
    const made =
      stage.block === 'bottleneck' ? bottleneck(kit, from, stage, stride) : inverted(kit, from, stage, stride)
    blocks.push(made.op)
    from = made.channels
  }
  return { op: chain(...blocks), channels: from }
}

export const convolution = (kit: Kit, size: number, from: number, to: number, stride: number): Op => {
  const { tf } = loadRuntime()
  const filter = kit.parameters.kernel([size, size, from, to], size * size * from) as unknown as Tensor4D
  return (x) => tf.conv2d(x as Tensor4D, filter, stride, 'same')
}

export const depthwise = (kit: Kit, size: number, channels: number, stride: number): Op => {
  const { tf } = loadRuntime()
  const filter = kit.parameters.kernel([size, size, channels, 1], size * size)
  return (x) => tf.depthwiseConv2d(x as Tensor4D, filter as unknown as Tensor4D, stride, 'same')
}

export const chain =
  (...ops: readonly Op[]): Op =>
  (x, mode) =>
    ops.reduce((h, op) => op(h, mode), x)

/** Pre-activation bottleneck (He et al. 2016): 1×1, 3×3, 1×1, each after a site; four times the inner channels out. */
export const bottleneck = (
  kit: Kit,
  from: number,
  stage: Extract<Stage, { block: 'bottleneck' }>,
  stride: number,
) => {
  const inner = stage.channels
  const out = 4 * inner
  const first = kit.site(from)
  const shortcut = from !== out || stride !== 1 ? convolution(kit, 1, from, out, stride) : null
  const rest = chain(
    convolution(kit, 1, from, inner, 1),
    kit.site(inner),
    convolution(kit, 3, inner, inner, stride),
    kit.site(inner),
    convolution(kit, 1, inner, out, 1),
  )
  const op: Op = (x, mode) => {
    const activated = first(x, mode)
    return rest(activated, mode).add(shortcut ? shortcut(activated, mode) : x)
  }
  return { op, channels: out }
}

/** Inverted bottleneck (Sandler et al. 2018), with squeeze-excite where the stage asks for it (Tan & Le 2019). */
export const inverted = (
  kit: Kit,
  from: number,
  stage: Extract<Stage, { block: 'inverted' }>,
  stride: number,
) => {
  const { channels, expansion, kernel, squeeze } = stage
  const wide = from * expansion
  const rest = chain(
    ...(expansion > 1 ? [convolution(kit, 1, from, wide, 1), kit.site(wide)] : []),
    depthwise(kit, kernel, wide, stride),
    kit.site(wide),
    ...(squeeze > 0 ? [squeezeExcite(kit, wide, Math.max(1, Math.round(from * squeeze)))] : []),
    convolution(kit, 1, wide, channels, 1),
    kit.plain(channels),
  )
  const residual = stride === 1 && from === channels
  const op: Op = (x, mode) => (residual ? rest(x, mode).add(x) : rest(x, mode))
  return { op, channels }
}

/** Squeeze-excite (Hu et al. 2018) with EfficientNet's own swish and sigmoid. */
const squeezeExcite = (kit: Kit, channels: number, reduced: number): Op => {
  const { tf } = loadRuntime()
  const reduce = convolution(kit, 1, channels, reduced, 1)
  const reduceBias = kit.parameters.vector(reduced, 0)
  const expand = convolution(kit, 1, reduced, channels, 1)
  const expandBias = kit.parameters.vector(channels, 0)
  return (x, mode) => {
    const squeezed = reduce(x.mean([1, 2], true), mode).add(reduceBias)
    const excited = expand(squeezed.mul(tf.sigmoid(squeezed)), mode).add(expandBias)
    return x.mul(tf.sigmoid(excited))
  }
}
