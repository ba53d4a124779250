import { DT, values, type ShapeFunction } from './known.ts'

const padded: ShapeFunction = ([a, pads]) => {
  const around = values(pads)
  return [{ shape: a!.shape.map((d, i) => d + around[2 * i]! + around[2 * i + 1]!), dtype: a!.dtype }]
}

/** Shape functions of the ops that detection adds. */
export const DETECTION: Readonly<Record<string, ShapeFunction>> = {
  TopKV2: ([a, k]) => {
    const shape = [...a!.shape.slice(0, -1), values(k)[0]!]
    return [
      { shape, dtype: a!.dtype },
      { shape, dtype: DT.int32 },
    ]
  },
  Pack: (inputs, { axis }) => {
    const { shape, dtype } = inputs[0]!
    const at = axis as number
    return [{ shape: [...shape.slice(0, at), inputs.length, ...shape.slice(at)], dtype }]
  },
  SplitV: ([a, sizes, axis]) => {
    const at = values(axis)[0]!
    return values(sizes).map((size) => ({
      shape: a!.shape.map((d, i) => (i === at ? size : d)),
      dtype: a!.dtype,
    }))
  },
  GatherV2: ([a, indices, axis]) => {
    const at = values(axis)[0]!
    return [
      {
        shape: [...a!.shape.slice(0, at), ...indices!.shape, ...a!.shape.slice(at + 1)],
        dtype: a!.dtype,
      },
    ]
  },
  UnsortedSegmentSum: ([a, indices, rows]) => [
    { shape: [values(rows)[0]!, ...a!.shape.slice(indices!.shape.length)], dtype: a!.dtype },
  ],
  /** Padded to the full number. */
  NonMaxSuppressionV4: ([, , most]) => [
    { shape: [values(most)[0]!], dtype: DT.int32 },
    { shape: [], dtype: DT.int32 },
  ],
  CombinedNonMaxSuppression: ([boxes, , , total]) => {
    const [n, most] = [boxes!.shape[0]!, values(total)[0]!]
    return [
      { shape: [n, most, 4], dtype: DT.float },
      { shape: [n, most], dtype: DT.float },
      { shape: [n, most], dtype: DT.float },
      { shape: [n], dtype: DT.int32 },
    ]
  },
  CropAndResize: ([image, boxes, , size]) => [
    { shape: [boxes!.shape[0]!, ...values(size), image!.shape[3]!], dtype: DT.float },
  ],
  CropAndResizeGradImage: ([, , , shape]) => [{ shape: values(shape), dtype: DT.float }],
  MirrorPad: padded,
  PadV2: padded,
  MirrorPadGrad: ([a, pads]) => {
    const around = values(pads)
    return [{ shape: a!.shape.map((d, i) => d - around[2 * i]! - around[2 * i + 1]!), dtype: a!.dtype }]
  },
  MaxPoolGrad: ([a]) => [{ shape: a!.shape, dtype: a!.dtype }],
}
