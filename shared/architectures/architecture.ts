/** A run of equal blocks; the first one has the stride. */
export type Stage =
  | {
      readonly block: 'bottleneck'
      readonly channels: number
      readonly repeats: number
      readonly stride: number
    }
  | {
      readonly block: 'inverted'
      readonly channels: number
      readonly repeats: number
      readonly stride: number
      readonly kernel: number
      readonly expansion: number
      /** Channels of the squeeze as a fraction of the block's input; 0: none. */
      readonly squeeze: number
    }

/**
 * A network as plain data. Stem: 3×3 convolution, stride 1 (32×32 images). `preactivation`: norm-activation comes
 * before each convolution and once before the pooling; else after each convolution. `head`: 1×1 convolution before
 * the pooling, 0: none.
 */
export type Architecture = {
  readonly stem: number
  readonly stages: readonly Stage[]
  readonly head: number
  readonly preactivation: boolean
}
