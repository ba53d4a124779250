/**
 * An architecture with a layer at every norm-activation site. Where an architecture normalises without activating
 * (the linear bottlenecks' projections, as published), a plain norm of the same kind stands: batch norm, or group
 * norm when the layer uses no batch statistics (the S series), since the paper replaces norm-activation pairs only.
 */
import type { Tensor2D } from '@tensorflow/tfjs-node-gpu'
import type { Architecture } from '../../shared/architectures/architecture.ts'
import { architectureOf } from '../../shared/architectures/index.ts'
import type { Graph } from '../../shared/graph.ts'
import type { ArchitectureConfig } from '../../shared/records.ts'
import { convolution, createKit, stageOf, type Kit, type Op } from './blocks.ts'
import type { Mode } from './layer.ts'
import { createParameters, type Parameters } from './parameters.ts'
import { loadRuntime, type Tensor } from './runtime.ts'
import type { BackboneSize } from './state.ts'

export type Network = {
  /** Images `[batch, height, width, 3]` to logits `[batch, classes]`. */
  readonly apply: (images: Tensor, mode: Mode) => Tensor
  readonly parameters: Parameters
  /** All but what comes after the stages. */
  readonly backbone: BackboneSize
  /** Trainable numbers. */
  readonly size: number
}

export const createNetwork = (
  config: ArchitectureConfig,
  graph: Graph,
  { classes, groups, seed }: { classes: number; groups: number; seed: number },
): Network => {
  const parameters = createParameters(`${seed}/${config.name}`)
  const { apply, backbone } = body(architectureOf(config), createKit(graph, groups, parameters), classes)
  return {
    apply: (images, mode) => apply(images, mode),
    backbone,
    parameters,
    size: parameters.trainable.reduce((sum, variable) => sum + variable.size, 0),
  }
}

const body = (
  architecture: Architecture,
  kit: Kit,
  classes: number,
): { apply: Op; backbone: BackboneSize } => {
  const { tf } = loadRuntime()
  const ops: Op[] = [convolution(kit, 3, 3, architecture.stem, 1)]
  let channels = architecture.stem
  if (!architecture.preactivation) ops.push(kit.site(channels))
  for (const stage of architecture.stages) {
    const made = stageOf(kit, channels, stage)
    ops.push(made.op)
    channels = made.channels
  }
  const { trainable, statistics } = kit.parameters
  const backbone = { trainable: trainable.length, statistics: statistics.length }
  if (architecture.head > 0) {
    ops.push(convolution(kit, 1, channels, architecture.head, 1))
    channels = architecture.head
  }
  if (architecture.head > 0 || architecture.preactivation) ops.push(kit.site(channels))
  // PyTorch initialises its classifier this small too: logits near zero, a first loss of ln(classes).
  const weights = kit.parameters.kernel([channels, classes], 6 * channels)
  const bias = kit.parameters.vector(classes, 0)
  const apply: Op = (x, mode) => {
    let h = x
    for (const op of ops) h = op(h, mode)
    return tf.matMul(h.mean([1, 2]) as Tensor2D, weights as never).add(bias)
  }
  return { apply, backbone }
}
