/**
 * What a GPU is checked with: every primitive op, every known layer, every network of a search with its second derivative, and
 * both transfer tasks. Each case gives numbers by name, which are to be the same wherever it runs.
 */
import { jit } from '../../../main/engine/jit/jit.ts'
import { createLayer } from '../../../main/engine/layer.ts'
import { createParameters } from '../../../main/engine/parameters.ts'
import { loadRuntime, type Tensor } from '../../../main/engine/runtime.ts'
import { registerGradients } from '../../../main/engine/gradients/index.ts'
import { testStability } from '../../../main/engine/stability.ts'
import { createTrainer } from '../../../main/engine/training.ts'
import { PRESETS } from '../../../shared/catalog.ts'
import type { Graph } from '../../../shared/graph.ts'
import { KNOWN, knownLayer } from '../../../shared/known.ts'
import { OPS, type OpName } from '../../../shared/ops.ts'
import { createRandom } from '../../../shared/random.ts'
import type { ArchitectureConfig } from '../../../shared/records.ts'
import { taskCases } from './tasks.ts'

export const GROUPS = ['primitives', 'layers', 'networks', 'bfloat16', 'second', 'tasks'] as const
export type Group = (typeof GROUPS)[number]
export type Numbers = Readonly<Record<string, ArrayLike<number>>>
export type GpuCase = { readonly name: string; readonly run: () => Numbers | Promise<Numbers> }

/** Layers whose networks are checked: one of each way in which a layer runs. */
export const LAYERS = ['BN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0'] as const
const ARCHITECTURES = PRESETS.demo.config.architectures
/** `paper` is as wide as `overnight`, only deeper: the same ops more often. */
const ALL = [...ARCHITECTURES, ...PRESETS.overnight.config.architectures]

export const casesOf = (group: Group, layers: readonly string[] = LAYERS): readonly GpuCase[] => {
  switch (group) {
    case 'primitives':
      return (Object.keys(OPS) as OpName[]).map((op) => layerCase(op, primitive(op)))
    case 'layers':
      return KNOWN.map(({ name, graph }) => layerCase(name, graph))
    case 'networks':
      return ALL.flatMap((config) => layers.map((layer) => networkCase(config, layer)))
    // In a process that was told to multiply in bfloat16; the CPU does it in float32.
    case 'bfloat16':
      return ARCHITECTURES.flatMap((config) => layers.map((layer) => networkCase(config, layer)))
    case 'second':
      return ARCHITECTURES.flatMap((config) => layers.map((layer) => secondCase(config, layer)))
    case 'tasks':
      return layers.flatMap(taskCases)
  }
}

/** The op of v1 · x + v0, or of x and that one's sigmoid. */
const primitive = (op: OpName): Graph => ({
  version: 1,
  nodes: [
    { op: 'mul', inputs: [3, 0] },
    { op: 'add', inputs: [4, 2] },
    ...(OPS[op].arity === 2
      ? [{ op: 'sigmoid', inputs: [5] } as const, { op, inputs: [0, 6] }]
      : [{ op, inputs: [5] }]),
  ],
  affine: true,
})

const SHAPE = [4, 6, 5, 16] as const
const drawn = (size: number, name: string): Float32Array => {
  const random = createRandom('gpu', name)
  return Float32Array.from({ length: size }, () => random.normal())
}

/** Neither this nor its derivatives vanish for any op, so that a share of the largest number means something. */
const cubed = (y: Tensor): Tensor => y.mul(y).mul(y)

/** A layer alone: y, the gradients of Σ y³ · dy by x and its vectors, and that of the first one's squared norm. */
const layerCase = (name: string, graph: Graph): GpuCase => ({
  name,
  run: () => {
    const { tf } = loadRuntime()
    registerGradients()
    const parameters = createParameters(name)
    const layer = createLayer(graph, SHAPE[3], 4, parameters)
    const size = SHAPE.reduce((a, b) => a * b, 1)
    const step = jit(
      (x, dy) => {
        const first = (secondOrder: boolean) => (x: Tensor) => {
          const loss = () =>
            cubed(layer(x, { training: true, secondOrder }))
              .mul(dy!)
              .sum()
          const { grads } = tf
            .engine()
            .gradients(loss, [x, ...parameters.trainable], undefined as never, true)
          return grads.filter((gradient): gradient is Tensor => gradient !== null && gradient !== undefined)
        }
        const norm = (x: Tensor): Tensor => first(true)(x)[0]!.square().sum()
        return [layer(x!, { training: true }), ...first(false)(x!), tf.grad(norm)(x!)]
      },
      { variables: [...parameters.trainable, ...parameters.statistics] },
    )
    const numbers = tf.tidy(() => {
      const [x, dy] = ['x', 'dy'].map((name) => tf.tensor(drawn(size, name), [...SHAPE])) as [Tensor, Tensor]
      const results = step(x, dy).map((tensor) => tensor.dataSync())
      return Object.fromEntries(results.map((values, i) => [resultName(i, results.length), values]))
    })
    step.dispose()
    parameters.dispose()
    return numbers
  },
})
const resultName = (i: number, count: number): string =>
  i === 0 ? 'y' : i === count - 1 ? 'second derivative' : `gradient ${i}`

const nameOf = ({ name, width, depth }: ArchitectureConfig): string =>
  `${name} (width ${width}, depth ${depth})`

const SIZE = 16
const CLASSES = 10
const images = (count: number): Float32Array => drawn(count * SIZE * SIZE * 3, 'images')
const labels = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i % CLASSES)
const [TRAINED, PREDICTED, PUSHED] = [16, 8, 4]

const commonOf = (architecture: ArchitectureConfig, layer: string) => ({
  architecture,
  graph: knownLayer(layer).graph,
  imageSize: SIZE,
  classes: CLASSES,
  seed: 1,
})

/**
 * The losses before and after a small step of training, and what the network then says of other images. More or longer steps would
 * make any rounding large: a deep network with BN-ReLU at its start is chaotic.
 */
const networkCase = (architecture: ArchitectureConfig, layer: string): GpuCase => ({
  name: `${nameOf(architecture)} with ${layer}`,
  run: () => {
    const { training } = PRESETS.demo.config
    const trainer = createTrainer({
      ...commonOf(architecture, layer),
      training: { ...training, batchSize: TRAINED },
      evaluationBatch: PREDICTED,
    })
    const losses = [0, 1].map(() => trainer.step(images(TRAINED), labels(TRAINED), 0.001))
    const logits = trainer.predict(images(PREDICTED))
    trainer.dispose()
    return { losses, logits }
  },
})

const secondCase = (architecture: ArchitectureConfig, layer: string): GpuCase => ({
  name: `${nameOf(architecture)} with ${layer}`,
  run: () => {
    const { training, rejection } = PRESETS.demo.config
    const { gradientNorm } = testStability(
      {
        ...commonOf(architecture, layer),
        groups: training.groups,
        limits: { ...rejection.stability, steps: 3, batchSize: PUSHED, maxGradientNorm: 1e30 },
      },
      { images: images(PUSHED), labels: labels(PUSHED) },
    )
    return { 'largest gradient norm': [gradientNorm ?? NaN] }
  },
})
