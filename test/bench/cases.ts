import type { Architecture } from '../../shared/architectures/architecture.ts'
import { architectureOf } from '../../shared/architectures/index.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { parseFormula } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { knownLayer } from '../../shared/known.ts'
import { OPS } from '../../shared/ops.ts'
import type { ArchitectureConfig, ArchitectureName, TrainingConfig } from '../../shared/records.ts'

/** One network with one layer, as both sides need it told. */
export type Case = {
  readonly network: ArchitectureName
  readonly layer: string
  readonly config: ArchitectureConfig
  readonly architecture: Architecture
  readonly graph: Graph
  readonly batch: number
  readonly imageSize: number
  readonly groups: number
  /** Whether plain norms are batch norms (else group norms). */
  readonly batchNorm: boolean
  readonly training: TrainingConfig
}

/** Ten fixed layers in the manner of what evolution finds: products, quotients and moments of every kind. */
export const EVOLVED: readonly string[] = [
  'x / max(sigmoid(-x), std_nhw(x))',
  'sigmoid(x) * x / std_hwg(x) + tanh(v1 * x)',
  'max(x, tanh(x)) / std_nhw(x)',
  'x / max(v1 * x + std_hw(x), std_nhw(x)) * sigmoid(x)',
  'tanh(x) * tanh(x) / max(sigmoid(v1) * x, std_nhw(x))',
  'sqrt(x) / rms_hwc(x)',
  '(x - mean_hw(x)) / std_hw(x) * sigmoid(v1 * x + v0)',
  'max(x / std_nhw(x), log(x))',
  'x * exp(-square(x / rms_hwg(x)))',
  'abs(x) / std_nhw(x) - mean_hwg(x)',
]

export const graphOf = (layer: string): Graph =>
  EVOLVED.includes(layer) ? parseFormula(layer) : knownLayer(layer).graph

export type Width = 'demo' | 'overnight' | 'paper'

/** A case at a preset's widths and depths; batch 64 but for the demo's 32. */
export const caseOf = (network: ArchitectureName, layer: string, width: Width): Case => {
  const preset = PRESETS[width].config
  const config = preset.architectures.find(({ name }) => name === network)!
  const graph = graphOf(layer)
  return {
    network,
    layer,
    config,
    architecture: architectureOf(config),
    graph,
    batch: width === 'demo' ? 32 : 64,
    imageSize: preset.data.imageSize,
    groups: preset.training.groups,
    batchNorm: graph.nodes.some(({ op }) => OPS[op].over === 'nhw'),
    training: preset.training,
  }
}

/**
 * The limit of a case: the same network with a bare tanh at every site, one cheap pass over memory forward and one backward.
 * Where plain norms are batch norms they stay so, by a batch statistic that nothing uses.
 */
export const limitOf = (given: Case): Case => ({
  ...given,
  layer: 'tanh',
  graph: {
    version: 1,
    nodes: [
      ...(given.batchNorm ? [{ op: 'mean_nhw', inputs: [0] } as const] : []),
      { op: 'tanh', inputs: [0] },
    ],
    affine: false,
  },
})

const NETWORKS = ['resnet', 'mobilenetv2', 'efficientnet'] as const
const LAYERS = ['BN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0'] as const

/** What `bench engine` measures. */
export const allCases = (width: Width): Case[] => [
  ...NETWORKS.flatMap((network) => LAYERS.map((layer) => caseOf(network, layer, width))),
  ...EVOLVED.map((layer) => caseOf('resnet', layer, width)),
]
