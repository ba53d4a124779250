/** Channels and resolutions of BigGAN's blocks by image size. Source: BigGAN-PyTorch's G_arch and D_arch tables. */

/** From a number of channels to another; `side` is that of the block's output, `resampled` whether it differs from its input's. */
export type Block = {
  readonly from: number
  readonly to: number
  readonly side: number
  readonly resampled: boolean
}

/** Side of the generator's first feature maps. */
export const BOTTOM = 4

/** Multiples of the channels: before the first block of the generator and after each. */
const GENERATOR: Readonly<Record<number, readonly number[]>> = {
  16: [4, 4, 4],
  32: [4, 4, 4, 4],
  64: [16, 16, 8, 4, 2],
  128: [16, 16, 8, 4, 2, 1],
}
/** After each block of the discriminator, and how many of them halve their side. */
const DISCRIMINATOR: Readonly<Record<number, { readonly to: readonly number[]; readonly halvings: number }>> =
  {
    16: { to: [4, 4, 4], halvings: 1 },
    32: { to: [4, 4, 4, 4], halvings: 2 },
    64: { to: [1, 2, 4, 8, 16], halvings: 4 },
    128: { to: [1, 2, 4, 8, 16, 16], halvings: 5 },
  }

const planned = <T>(plans: Readonly<Record<number, T>>, imageSize: number): T => {
  const plan = plans[imageSize]
  if (!plan)
    throw new Error(
      `synthesis: needs images of ${Object.keys(plans).join(', ')} pixels a side, got ${imageSize}`,
    )
  return plan
}

export const generatorBlocks = (imageSize: number, channels: number): Block[] => {
  const multiples = planned(GENERATOR, imageSize)
  return multiples.slice(1).map((to, i) => ({
    from: multiples[i]! * channels,
    to: to * channels,
    side: BOTTOM * 2 ** (i + 1),
    resampled: true,
  }))
}

export const discriminatorBlocks = (imageSize: number, channels: number): Block[] => {
  const { to, halvings } = planned(DISCRIMINATOR, imageSize)
  return to.map((multiple, i) => ({
    from: i === 0 ? 3 : to[i - 1]! * channels,
    to: multiple * channels,
    side: imageSize / 2 ** Math.min(i + 1, halvings),
    resampled: i < halvings,
  }))
}
