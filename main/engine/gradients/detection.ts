/**
 * Ops of detection as kernels of the engine's own: tfjs has no gradients for them, or its kernels read values, which a
 * recorded step has not.
 */
import { attribute, loadRuntime, runOp, type Tensor } from '../runtime.ts'
import { kernel, only, setGradient, setKernel } from './registry.ts'

/** Rows of `x` `[n, …]` at `indices` (int32, any shape): `[…indices.shape, …]`. */
export const gatherRows = (x: Tensor, indices: Tensor): Tensor => kernel('NormForgeGather', { x, indices })

/**
 * Crops of `image` `[n, height, width, c]` at boxes `[k, 4]`, resampled bilinearly to `[k, size, size, c]`; box b is of
 * image `which[b]`. As tf.image.crop_and_resize: boxes run from the first to the last sample, 0 and 1 being the centres
 * of the outermost pixels; samples outside are 0.
 */
export const cropAndResize = (image: Tensor, boxes: Tensor, which: Tensor, size: number): Tensor =>
  kernel('NormForgeCropAndResize', { image, boxes, which }, { size })

/** `x` `[n, height, width, c]` with its outermost pixels repeated once on each side. */
export const padByEdge = (x: Tensor): Tensor => kernel('NormForgePadByEdge', { x })

export const registerDetection = (): void => {
  registerGather()
  registerCrop()
  registerPad()
  // tfjs's one adds up floats made of the indices where indices depend on what is differentiated.
  setGradient('TopK', { gradFunc: () => noGradient('topk') })
}

/** Selections are constants to the gradient: they are made off the tape (stopGradient). */
const noGradient = (op: string): never => {
  throw new Error(`gradients: ${op} selects; call it under stopGradient`)
}

const registerGather = (): void => {
  const { tf, binding } = loadRuntime()
  const types = (data: string): ReturnType<typeof attribute.type>[] => [
    attribute.float32(data),
    attribute.type('Tindices', binding.TF_INT32),
  ]
  setKernel(
    'NormForgeGather',
    ({ x, indices }) =>
      runOp(
        'GatherV2',
        [
          attribute.type('Tparams', x!.dtype === 'int32' ? binding.TF_INT32 : binding.TF_FLOAT),
          attribute.type('Tindices', binding.TF_INT32),
          attribute.type('Taxis', binding.TF_INT32),
          attribute.int('batch_dims', 0),
        ],
        [x!, indices!, tf.scalar(0, 'int32')],
      )[0]!,
    {
      inputsToSave: ['x', 'indices'],
      gradFunc: (dy, [x, indices]) => ({
        x: () => kernel('NormForgeSegmentSum', { x: only(dy), indices: indices! }, { rows: x!.shape[0] }),
        indices: () => noGradient('gather'),
      }),
    },
  )
  setKernel(
    'NormForgeSegmentSum',
    ({ x, indices }, { rows }) =>
      runOp(
        'UnsortedSegmentSum',
        [...types('T'), attribute.type('Tnumsegments', binding.TF_INT32)],
        [x!, indices!, tf.scalar(rows as number, 'int32')],
      )[0]!,
    {
      inputsToSave: ['indices'],
      gradFunc: (dd, [indices]) => ({
        x: () => gatherRows(only(dd), indices!),
        indices: () => noGradient('segment sum'),
      }),
    },
  )
}

const registerCrop = (): void => {
  const { tf } = loadRuntime()
  const attributes = () => [attribute.float32(), attribute.string('method', 'bilinear')]
  setKernel(
    'NormForgeCropAndResize',
    ({ image, boxes, which }, { size }) =>
      runOp(
        'CropAndResize',
        [...attributes(), attribute.float('extrapolation_value', 0)],
        [image!, boxes!, which!, tf.tensor1d([size as number, size as number], 'int32')],
      )[0]!,
    {
      inputsToSave: ['image', 'boxes', 'which'],
      gradFunc: (dy, [image, boxes, which]) => ({
        image: () =>
          kernel(
            'NormForgeCropGradient',
            { dy: only(dy), boxes: boxes!, which: which! },
            { shape: image!.shape },
          ),
        boxes: () => noGradient('cropAndResize (its boxes)'),
        which: () => noGradient('cropAndResize (its indices)'),
      }),
    },
  )
  setKernel(
    'NormForgeCropGradient',
    ({ dy, boxes, which }, { shape }) =>
      runOp('CropAndResizeGradImage', attributes(), [
        dy!,
        boxes!,
        which!,
        tf.tensor1d(shape as number[], 'int32'),
      ])[0]!,
    {
      inputsToSave: ['dy', 'boxes', 'which'],
      gradFunc: (dd, [dy, boxes, which]) => ({
        dy: () => cropAndResize(only(dd), boxes!, which!, dy!.shape[1]!),
        boxes: () => noGradient('cropAndResize (its boxes)'),
        which: () => noGradient('cropAndResize (its indices)'),
      }),
    },
  )
}

const registerPad = (): void => {
  const { tf, binding } = loadRuntime()
  const attributes = () => [
    attribute.float32(),
    attribute.type('Tpaddings', binding.TF_INT32),
    attribute.string('mode', 'SYMMETRIC'),
  ]
  const pads = (): Tensor => tf.tensor2d([0, 0, 1, 1, 1, 1, 0, 0], [4, 2], 'int32')
  setKernel('NormForgePadByEdge', ({ x }) => runOp('MirrorPad', attributes(), [x!, pads()])[0]!, {
    gradFunc: (dy) => ({ x: () => kernel('NormForgePadByEdgeGradient', { dy: only(dy) }) }),
  })
  setKernel(
    'NormForgePadByEdgeGradient',
    ({ dy }) => runOp('MirrorPadGrad', attributes(), [dy!, pads()])[0]!,
    { gradFunc: (dd) => ({ dy: () => padByEdge(only(dd)) }) },
  )
}
