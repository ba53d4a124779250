/** Passes over full-size tensors that a layer's forward and backward make in training, by how the layer runs. */
import { registerGradients } from '../../main/engine/gradients/index.ts'
import { optimized } from '../../main/engine/jit/passes/index.ts'
import { largePasses } from '../../main/engine/jit/passes/large.ts'
import { Recorder } from '../../main/engine/jit/recorder.ts'
import { createLayer, type Lowering } from '../../main/engine/layer.ts'
import { compileLayer, type Piece } from '../../main/engine/lowering/compiled.ts'
import { createParameters } from '../../main/engine/parameters.ts'
import { loadRuntime, type Tensor } from '../../main/engine/runtime.ts'
import type { Graph } from '../../shared/graph.ts'
import { sweepsOf } from '../../shared/symbolic/plan.ts'
import { schedule } from '../../shared/symbolic/schedule.ts'

export type Passes = {
  /** Sweeps of the engine's own kernels, each of which reads and writes several tensors. */
  readonly kernels: number
  /** Ops of TensorFlow, where there are no kernels. */
  readonly ops: number
  /** Ops of tfjs's own gradient. */
  readonly tfjs: number
}

/** Nothing is computed, so that any shape will do in which only what is full-size has as many elements. */
const SHAPE = [4, 6, 5, 64] as const
const GROUPS = 8

export const layerPasses = (graph: Graph): Passes => {
  const { training, backward } = compileLayer(graph, 0.9)
  return {
    kernels: sweeps(training) + sweeps(backward),
    ops: recorded(graph, 'ops'),
    tfjs: recorded(graph, 'tape'),
  }
}

const sweeps = ({ instructions, sizes, inputs, outputs }: Piece): number =>
  sweepsOf(schedule(instructions, sizes, inputs, outputs))

const recorded = (graph: Graph, lowering: Lowering): number => {
  const { tf } = loadRuntime()
  registerGradients()
  const parameters = createParameters('passes')
  const layer = createLayer(graph, SHAPE[3], GROUPS, parameters, lowering)
  const { trainable, statistics } = parameters
  const recorder = new Recorder([...trainable, ...statistics], 'passes')
  const step = (x: Tensor, dy: Tensor): Tensor[] => {
    const { value, grads } = tf
      .engine()
      .gradients(() => layer(x, { training: true }), [x, ...trainable], dy, true) as {
      value: Tensor
      grads: (Tensor | undefined)[]
    }
    return [value, ...grads.filter((gradient) => gradient !== undefined)]
  }
  const spec = { shape: SHAPE, dtype: 'float32' } as const
  const { outputs } = recorder.record(step as (...inputs: Tensor[]) => Tensor[], [spec, spec])
  parameters.dispose()
  const full = SHAPE.reduce((a, b) => a * b, 1)
  return largePasses(optimized(recorder.ops, recorder.outs, outputs), recorder.outs, full)
}
