import type { ArchitectureConfig, ArchitectureName } from '../records.ts'
import { efficientnet } from './efficientnet.ts'
import { mobilenetv2 } from './mobilenetv2.ts'
import { resnet } from './resnet.ts'

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

const NETWORKS: Readonly<Record<ArchitectureName, Architecture>> = { resnet, mobilenetv2, efficientnet }

/** Channels times a width multiplier, to a multiple of 8, never under 8 (the MobileNets' rule). */
const scaled = (channels: number, width: number): number =>
  Math.max(8, Math.round((channels * width) / 8) * 8)

/** The network of a config: channels times `width`, blocks a stage times `depth` (at least one). */
export const architectureOf = ({ name, width, depth }: ArchitectureConfig): Architecture => {
  const base = NETWORKS[name]
  return {
    ...base,
    stem: scaled(base.stem, width),
    head: base.head === 0 ? 0 : scaled(base.head, width),
    stages: base.stages.map((stage) => ({
      ...stage,
      channels: scaled(stage.channels, width),
      repeats: Math.max(1, Math.round(stage.repeats * depth)),
    })),
  }
}
