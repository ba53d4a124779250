/** Images of one split: `count` images of `size`×`size`×3 bytes (rows, columns, RGB), and a class each. */
export type ImageSet = {
  readonly images: Uint8Array
  readonly labels: Uint8Array
  readonly count: number
}

export type DataSet = {
  readonly classes: readonly string[]
  readonly imageSize: number
  readonly training: ImageSet
  readonly validation: ImageSet
}

/** Splits images into training and validation, by a given order. */
export const split = (
  all: ImageSet,
  size: number,
  order: readonly number[],
  validation: number,
  training: number,
) => {
  const take = (indices: readonly number[]): ImageSet => {
    const bytes = size * size * 3
    const images = new Uint8Array(indices.length * bytes)
    const labels = new Uint8Array(indices.length)
    indices.forEach((from, to) => {
      images.set(all.images.subarray(from * bytes, (from + 1) * bytes), to * bytes)
      labels[to] = all.labels[from]!
    })
    return { images, labels, count: indices.length }
  }
  const rest = order.slice(validation)
  return {
    validation: take(order.slice(0, validation)),
    training: take(training > 0 ? rest.slice(0, training) : rest),
  }
}

/** Area-averages `count` square images from side `from` to side `to`, which must divide it. */
export const shrink = (images: Uint8Array, count: number, from: number, to: number): Uint8Array => {
  const factor = from / to
  if (!Number.isInteger(factor))
    throw new Error(`data: images of side ${from} need an image size that divides it, got ${to}`)
  if (factor === 1) return images
  const result = new Uint8Array(count * to * to * 3)
  const area = factor * factor
  for (let n = 0; n < count; n++)
    for (let y = 0; y < to; y++)
      for (let x = 0; x < to; x++)
        for (let c = 0; c < 3; c++) {
          let sum = 0
          for (let dy = 0; dy < factor; dy++)
            for (let dx = 0; dx < factor; dx++)
              sum += images[((n * from + y * factor + dy) * from + x * factor + dx) * 3 + c]!
          result[((n * to + y) * to + x) * 3 + c] = Math.round(sum / area)
        }
  return result
}
