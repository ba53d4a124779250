/**
 * An Inception network that the user gives as a frozen graph, for scores that may be compared with the literature's: FID
 * in its pool_3 features (Heusel et al. 2017) and the Inception Score of its classes (Salimans et al. 2016). Known are the
 * graph of 2015 (classify_image_graph_def.pb) and those that keep its names, as TF-GAN's.
 */
import { setImmediate } from 'node:timers/promises'
import type { Tensor4D } from '@tensorflow/tfjs-node-gpu'
import { loadFrozenGraph, readFrozenGraph, type FrozenGraph } from '../../jit/frozen.ts'
import type { VettedGraph } from '../../jit/graphDef.ts'
import { loadRuntime, type Tensor } from '../../runtime.ts'
import { fromBytes } from './batches.ts'
import type { Critic, Opinions } from './classifier.ts'

/** Images `[1, 299, 299, 3]` in −1..1: the graph of 2015 takes one at a time. */
const INPUT = 'Mul'
const SIDE = 299
const FEATURES = 'pool_3'
/** Probabilities, or what they are the softmax of. */
const CLASSES = ['softmax', 'logits'] as const

type Classes = (typeof CLASSES)[number]

/** A file's graph, checked but not loaded. Throws one sentence when it is no Inception graph. */
export const readInception = (file: string): { readonly graph: VettedGraph; readonly classes: Classes } => {
  const graph = readFrozenGraph(file)
  const classes = CLASSES.find((name) => graph.nodes.has(name))
  const missing = [INPUT, FEATURES].filter((name) => !graph.nodes.has(name))
  if (missing.length > 0 || !classes) {
    const wanted = [...missing, ...(classes ? [] : [CLASSES.join(' or ')])].join(', ')
    throw new Error(`Inception: ${file} needs nodes named ${wanted}, has none`)
  }
  return { graph, classes }
}

export const loadInception = (file: string): Critic => {
  const { graph, classes } = readInception(file)
  const loaded = loadFrozenGraph(graph)
  return {
    judge: (images, count) => judge(loaded, classes, images, count),
    dispose: loaded.dispose,
  }
}

const judge = async (
  graph: FrozenGraph,
  classes: Classes,
  images: Uint8Array,
  count: number,
): Promise<Opinions> => {
  const bytes = images.length / count
  const rows = []
  for (let n = 0; n < count; n++) {
    rows.push(one(graph, classes, fromBytes(images.subarray(n * bytes, (n + 1) * bytes))))
    await setImmediate()
  }
  return {
    features: joined(rows.map(({ features }) => features)),
    dimensions: rows[0]?.features.length ?? 0,
    probabilities: joined(rows.map(({ probabilities }) => probabilities)),
  }
}

const one = (graph: FrozenGraph, classes: Classes, image: Float32Array) => {
  const { tf } = loadRuntime()
  const side = Math.sqrt(image.length / 3)
  return tf.tidy(() => {
    const input = tf.image.resizeBilinear(tf.tensor(image, [1, side, side, 3]) as Tensor4D, [SIDE, SIDE])
    const [features, said] = graph.run(INPUT, input, [FEATURES, classes]) as [Tensor, Tensor]
    const flat = said.reshape([said.size])
    const probabilities = classes === 'softmax' ? flat : tf.softmax(flat)
    return {
      features: features.dataSync<'float32'>().slice(),
      probabilities: probabilities.dataSync<'float32'>().slice(),
    }
  })
}

const joined = (parts: readonly Float32Array[]): Float32Array => {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
