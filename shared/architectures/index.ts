import type { ArchitectureConfig, ArchitectureName } from '../records.ts'
import type { Architecture } from './architecture.ts'
import { efficientnet } from './efficientnet.ts'
import { mobilenetv2 } from './mobilenetv2.ts'
import { resnet } from './resnet.ts'

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
