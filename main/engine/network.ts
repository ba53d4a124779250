/**
 * An architecture with a layer at every norm-activation site. Where an architecture normalises without activating
 * (the linear bottlenecks' projections, as published), a plain norm of the same kind stands: batch norm, or group
 * norm when the layer uses no batch statistics (the S series), since the paper replaces norm-activation pairs only.
 */
import type { Tensor2D, Tensor4D } from '@tensorflow/tfjs-node-gpu'
import { architectureOf, type Architecture, type Stage } from '../../shared/architectures/index.ts'
import { parseFormula } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { OPS } from '../../shared/ops.ts'
import type { ArchitectureConfig } from '../../shared/records.ts'
import { createLayer, type Layer, type Mode } from './layer.ts'
import { createParameters, type Parameters } from './parameters.ts'
import { loadRuntime, type Tensor } from './runtime.ts'

type Op = (x: Tensor, mode: Mode) => Tensor

export type Network = {
  /** Images `[batch, height, width, 3]` to logits `[batch, classes]`. */
  readonly apply: (images: Tensor, mode: Mode) => Tensor
  readonly parameters: Parameters
  /** Trainable numbers. */
  readonly size: number
}

const PLAIN = {
  batch: parseFormula('(x - mean_nhw(x)) / std_nhw(x) * v1 + v0', false),
  group: parseFormula('(x - mean_hwg(x)) / std_hwg(x) * v1 + v0', false),
}

export const createNetwork = (
  config: ArchitectureConfig,
  graph: Graph,
  { classes, groups, seed }: { classes: number; groups: number; seed: number },
): Network => {
  const parameters = createParameters(`${seed}/${config.name}`)
  const usesBatch = graph.nodes.some((node) => OPS[node.op].over === 'nhw')
  const site = (channels: number): Layer => createLayer(graph, channels, groups, parameters)
  const plain = (channels: number): Layer =>
    createLayer(usesBatch ? PLAIN.batch : PLAIN.group, channels, groups, parameters)
  const apply = body(architectureOf(config), { site, plain, parameters }, classes)
  return {
    apply: (images, mode) => apply(images, mode),
    parameters,
    size: parameters.trainable.reduce((sum, variable) => sum + variable.size, 0),
  }
}

type Kit = { site: (channels: number) => Layer; plain: (channels: number) => Layer; parameters: Parameters }

const body = (architecture: Architecture, kit: Kit, classes: number): Op => {
  const { tf } = loadRuntime()
  const ops: Op[] = [convolution(kit, 3, 3, architecture.stem, 1)]
  let channels = architecture.stem
  if (!architecture.preactivation) ops.push(kit.site(channels))
  for (const stage of architecture.stages)
    for (let i = 0; i < stage.repeats; i++) {
      const stride = i === 0 ? stage.stride : 1
      const made =
        stage.block === 'bottleneck'
          ? bottleneck(kit, channels, stage, stride)
          : inverted(kit, channels, stage, stride)
      ops.push(made.op)
      channels = made.channels
    }
  if (architecture.head > 0) {
    ops.push(convolution(kit, 1, channels, architecture.head, 1))
    channels = architecture.head
  }
  if (architecture.head > 0 || architecture.preactivation) ops.push(kit.site(channels))
  // PyTorch initialises its classifier this small too: logits near zero, a first loss of ln(classes).
  const weights = kit.parameters.kernel([channels, classes], 6 * channels)
  const bias = kit.parameters.vector(classes, 0)
  return (x, mode) => {
    let h = x
    for (const op of ops) h = op(h, mode)
    return tf.matMul(h.mean([1, 2]) as Tensor2D, weights as never).add(bias)
  }
}

const convolution = (kit: Kit, size: number, from: number, to: number, stride: number): Op => {
  const { tf } = loadRuntime()
  const filter = kit.parameters.kernel([size, size, from, to], size * size * from)
  return (x) => tf.conv2d(x as Tensor4D, filter as unknown as Tensor4D, stride, 'same')
}

const depthwise = (kit: Kit, size: number, channels: number, stride: number): Op => {
  const { tf } = loadRuntime()
  const filter = kit.parameters.kernel([size, size, channels, 1], size * size)
  return (x) => tf.depthwiseConv2d(x as Tensor4D, filter as unknown as Tensor4D, stride, 'same')
}

const chain =
  (...ops: readonly Op[]): Op =>
  (x, mode) =>
    ops.reduce((h, op) => op(h, mode), x)

/** Pre-activation bottleneck (He et al. 2016): 1×1, 3×3, 1×1, each after a site; four times the inner channels out. */
const bottleneck = (
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
const inverted = (kit: Kit, from: number, stage: Extract<Stage, { block: 'inverted' }>, stride: number) => {
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
