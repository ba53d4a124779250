import { createNetwork } from '../../main/engine/network.ts'
import { loadRuntime } from '../../main/engine/runtime.ts'
import type { Parameters as Variables } from '../../main/engine/parameters.ts'
import type { Graph } from '../../shared/graph.ts'
import type { ArchitectureConfig } from '../../shared/records.ts'
import { drawn } from '../reference/networks.ts'

/** What test/reference/networks.py builds its networks with. */
export const REFERENCE = { classes: 10, groups: 8, seed: 1 }

/** Gives a network the starting weights of networks.py: kernels scaled by fan-in, vectors around where they start. */
export const drawWeights = ({ trainable }: Variables): void => {
  const { tf } = loadRuntime()
  trainable.forEach((variable, number) => {
    const { shape, rank, size } = variable
    const initial = variable.dataSync()
    const depthwise = rank === 4 && shape[3] === 1
    const fanIn = rank === 2 ? 6 * shape[0]! : size / (depthwise ? shape[2]! : shape.at(-1)!)
    const scale = rank >= 2 ? Math.sqrt(6 / fanIn) : 1 / 4
    const values = drawn(size, number).map((value, i) => scale * value + (rank >= 2 ? 0 : initial[i]!))
    tf.tidy(() => variable.assign(tf.tensor(values, shape) as typeof variable))
  })
}

/** The same weights as lists of numbers. */
export const drawnWeights = (architecture: ArchitectureConfig, graph: Graph): Float32Array[] => {
  const { parameters } = createNetwork(architecture, graph, REFERENCE)
  drawWeights(parameters)
  const weights = parameters.trainable.map((variable) => variable.dataSync<'float32'>().slice())
  parameters.dispose()
  return weights
}

/** The images `[batch, size, size, 3]` and labels of networks.py. */
export const drawnBatch = (size: number, batch: number, number = 1000) => ({
  images: drawn(batch * size * size * 3, number).map((value) => 2 * value),
  labels: Int32Array.from({ length: batch }, (_, n) => (3 * n) % REFERENCE.classes),
})
