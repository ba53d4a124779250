/** Mask R-CNN under training: a compiled step and compiled inference over shared variables. */
import type { Graph } from '../../../../shared/graph.ts'
import type { SegmentationConfig } from '../../../../shared/transfer.ts'
import { registerGradients } from '../../gradients/index.ts'
import { createProgram } from '../../jit/program.ts'
import { wholeOrNothing } from '../../owned.ts'
import { loadRuntime, type Tensor } from '../../runtime.ts'
import { createSgd } from '../../sgd.ts'
import type { Batch } from './batches.ts'
import { infer } from './inference.ts'
import { createMaskRcnn } from './network.ts'
import { LOSSES, objective } from './objective.ts'
import { MASK_SIDE, OBJECT_MASK_SIDE, type Settings } from './settings.ts'
import { namedVariables, restore, stateOf, type State } from '../../state.ts'

/** One loss each; see LOSSES. */
export type Losses = Record<(typeof LOSSES)[number], number>

/** What was found in one image: `count` detections, best first, in pixels of the square. */
export type Found = {
  readonly count: number
  /** y₁, x₁, y₂, x₂ each. */
  readonly boxes: Float32Array
  readonly scores: Float32Array
  /** From 0 on. */
  readonly classes: Float32Array
  /** Probabilities, 28 × 28 each, in its box. */
  readonly masks: Float32Array
}

export type Detector = {
  /** One step of SGD; the losses before it. */
  step(batch: Batch, rate: number): Losses
  /** Images `[batchSize, side, side, 3]`, normalised. */
  detect(images: Float32Array): Found[]
  /** All that training has changed, by name; see namedVariables. */
  state(): State
  readonly parameters: number
  dispose(): void
}

export type DetectorOptions = {
  readonly graph: Graph
  readonly settings: Settings
  readonly training: SegmentationConfig['training']
  readonly seed: number
  /** Values by name in place of those drawn from the seed; names that it lacks keep theirs. */
  readonly state?: State
  readonly eager?: boolean
}

export const createDetector = (options: DetectorOptions): Detector =>
  wholeOrNothing(() => detectorOf(options))

const detectorOf = ({ graph, settings, training, seed, state, eager }: DetectorOptions): Detector => {
  const { tf } = loadRuntime()
  registerGradients()
  const network = createMaskRcnn(graph, settings, seed)
  const { trainable, statistics } = network.parameters
  const sgd = createSgd(network.parameters, training)
  const named = namedVariables(network, sgd.velocities)
  if (state) restore(named, state)

  const { batchSize: n, imageSize, regions } = settings
  const float = (...shape: number[]) => ({ shape, dtype: 'float32' }) as const
  const int = (...shape: number[]) => ({ shape, dtype: 'int32' }) as const
  const images = float(n, imageSize, imageSize, 3)
  const most = regions.objects
  const inputs = [
    images,
    int(n, regions.anchors),
    int(n, regions.anchors),
    float(n, most, 4),
    int(n, most),
    float(n, most, OBJECT_MASK_SIDE, OBJECT_MASK_SIDE),
    float(n, regions.proposals + most),
    float(),
  ]
  const step = (...given: Tensor[]): Tensor[] => {
    const [images, anchors, anchorObject, boxes, classes, masks, chance, rate] = given as Eight
    const batch = { images, anchors, anchorObject, boxes, classes, masks, chance }
    let losses: Tensor[] = []
    const { grads } = tf.variableGrads(() => {
      // Kept: all but the sum would be gone with the tape.
      losses = objective(network, batch, settings).map((loss) => tf.keep(loss.clone()))
      return losses[0]!.clone() as never
    }, trainable)
    sgd.apply(grads, rate)
    return losses.map((loss) => {
      const result = loss.clone()
      loss.dispose()
      return result
    })
  }
  const declared = [...sgd.variables, statistics]
  const program = createProgram(
    declared,
    {
      train: { inputs, step },
      detect: { inputs: [images], step: (x) => infer(network, x!, settings) },
    },
    eager === undefined ? {} : { eager },
  )
  const run = (name: 'train' | 'detect', given: Tensor[]): Float32Array[] => {
    const results = program.run(name, ...given)
    const values = results.map((tensor) => tensor.dataSync<'float32'>())
    for (const tensor of [...given, ...results]) tensor.dispose()
    return values
  }
  return {
    step: (batch, rate) => {
      const data = [
        batch.images,
        batch.anchors,
        batch.anchorObject,
        batch.boxes,
        batch.classes,
        batch.masks,
        batch.chance,
        Float32Array.of(rate),
      ]
      const given = data.map((values, i) => tf.tensor(values, [...inputs[i]!.shape], inputs[i]!.dtype))
      const values = run('train', given)
      return Object.fromEntries(LOSSES.map((loss, i) => [loss, values[i]![0]!])) as Losses
    },
    detect: (x) => {
      const [boxes, scores, classes, counts, masks] = run('detect', [tf.tensor(x, [...images.shape])]) as Five
      const of = (values: Float32Array, image: number, each: number) =>
        values.subarray(image * regions.detections * each, (image + 1) * regions.detections * each)
      return Array.from(counts, (count, i) => ({
        count,
        boxes: of(boxes, i, 4),
        scores: of(scores, i, 1),
        classes: of(classes, i, 1),
        masks: of(masks, i, MASK_SIDE ** 2),
      }))
    },
    state: () => stateOf(named, declared.flat(), program.readAll()),
    parameters: trainable.reduce((sum, variable) => sum + variable.size, 0),
    dispose: () => {
      program.dispose()
      for (const variable of named.values()) variable.dispose()
    },
  }
}

type Eight = [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]
type Five = [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array]
