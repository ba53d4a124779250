/** A layer as the engine builds it, seen from outside: values in, outputs and gradients out. */
import { createLayer, type Lowering, type Mode } from '../../main/engine/layer.ts'
import { registerGradients } from '../../main/engine/gradients/index.ts'
import { createParameters } from '../../main/engine/parameters.ts'
import { loadRuntime, type Tensor, type Variable } from '../../main/engine/runtime.ts'
import { liveNodes } from '../../shared/canonical.ts'
import type { Graph } from '../../shared/graph.ts'

export type Shape4 = readonly [number, number, number, number]
export type Vectors = Readonly<Record<'v0' | 'v1' | 'gamma' | 'beta', ArrayLike<number>>>
export type Gradients = Partial<Record<'x' | keyof Vectors, Float32Array>>

/** Weight of the past in the moving averages, in float32 as the engine has it. */
const KEPT = Math.fround(0.9)

export type Site = {
  /** The output, and the gradients of Σ y·dy: those of tensors that the layer does not use are left out. */
  run(x: ArrayLike<number>, dy: ArrayLike<number>, mode: Mode): { y: Float32Array; gradients: Gradients }
  /** Makes the last training batch's statistics the moving averages, by undoing the averaging with where they started. */
  keepStatistics(): void
  dispose(): void
}

export const createSite = (
  graph: Graph,
  shape: Shape4,
  groups: number,
  vectors: Vectors,
  lowering?: Lowering,
): Site => {
  const { tf } = loadRuntime()
  registerGradients()
  const parameters = createParameters('test')
  const layer = createLayer(graph, shape[3], groups, parameters, lowering)
  // A layer's vectors stand in this order, those it uses.
  const used = new Set(liveNodes(graph).flatMap((index) => graph.nodes[index]!.inputs))
  const names = (['v0', 'v1', 'gamma', 'beta'] as const).filter((name) =>
    name === 'v0' ? used.has(2) : name === 'v1' ? used.has(3) : graph.affine,
  )
  if (parameters.trainable.length !== names.length)
    throw new Error(`needed variables for ${names.join(', ')}, got ${parameters.trainable.length}`)
  const set = (variable: Variable, values: ArrayLike<number>) =>
    tf.tidy(() => variable.assign(tf.tensor(Float32Array.from(values), variable.shape) as typeof variable))
  names.forEach((name, i) => set(parameters.trainable[i]!, vectors[name]))
  const initial = parameters.statistics.map((variable) => variable.dataSync().slice())

  return {
    run: (x, dy, mode) =>
      tf.tidy(() => {
        const input = tf.tensor4d(Float32Array.from(x), [...shape])
        const upstream: Tensor = tf.tensor4d(Float32Array.from(dy), [...shape])
        let y: Float32Array | undefined
        const { grads } = tf.engine().gradients(
          () => {
            const output = layer(input, mode)
            y = output.dataSync() as Float32Array
            return output.mul(upstream).sum()
          },
          [input, ...parameters.trainable],
          undefined as never,
          true,
        ) as { grads: (Tensor | undefined)[] }
        const gradients: Gradients = {}
        ;(['x', ...names] as const).forEach((name, i) => {
          if (grads[i]) gradients[name] = grads[i].dataSync() as Float32Array
        })
        return { y: y!, gradients }
      }),
    keepStatistics: () =>
      parameters.statistics.forEach((variable, i) =>
        set(
          variable,
          variable.dataSync().map((value, c) => (value - Math.fround(KEPT * initial[i]![c]!)) / (1 - KEPT)),
        ),
      ),
    dispose: () => parameters.dispose(),
  }
}
