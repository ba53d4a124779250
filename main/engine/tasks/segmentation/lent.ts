/** A trained backbone that another network lends: a classifier's (`classify --save`), or another detector's. */
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { architectureOf } from '../../../../shared/architectures/index.ts'
import type { Graph } from '../../../../shared/graph.ts'
import type { ArchitectureConfig } from '../../../../shared/records.ts'
import type { SegmentationConfig } from '../../../../shared/transfer.ts'
import { markOf, type LayerMark } from '../../kept.ts'
import { isBackbone, type State } from '../../state.ts'
import { readTensors, tensorsOf, type Checkpoint } from '../../checkpoint.ts'

/** What a checkpoint tells of its backbone. */
export type Lender = {
  readonly layer: LayerMark
  readonly of: { readonly architecture: ArchitectureConfig }
  readonly names: readonly string[]
}

type Network = Pick<SegmentationConfig['network'], 'width' | 'depth' | 'stride'>

export const lenderOf = (graph: Graph, { width, depth }: Network): Pick<Lender, 'layer' | 'of'> => ({
  layer: markOf(graph),
  of: { architecture: { name: 'resnet', width, depth } },
})

/**
 * The backbone's part of a file, or, where a folder is given, of the file in it that was trained with the same layer: one
 * for each layer of a comparison. Throws one sentence when there is none that fits the network.
 */
export const lentBackbone = (where: string, graph: Graph, network: Network): State => {
  const needed = lenderOf(graph, network)
  const given = statSync(where, { throwIfNoEntry: false })
  if (!given) throw new Error(`backbone: there is no file ${where}`)
  const file = given.isDirectory() ? fileOfLayer(where, needed.layer) : where
  const lender = readLender(file)
  if (!lender) throw new Error(`backbone: ${file}: needed a whole checkpoint with a backbone, got none`)
  const { layer, of } = lender.state
  if (layer.fingerprint !== needed.layer.fingerprint)
    throw new Error(
      `backbone: ${file}: needed one trained with ${needed.layer.formula}, got one trained with ` +
        `${layer.formula} (a folder with a file for each layer serves them all)`,
    )
  if (shapeOf(of.architecture) !== shapeOf(needed.of.architecture))
    throw new Error(
      `backbone: ${file}: needed ${textOf(needed.of.architecture)}, got ${textOf(of.architecture)}`,
    )
  const own = new Map([...tensorsOf(lender)].filter(([name]) => isBackbone(name)))
  const side = network.stride === 4 ? 7 : 3
  const stem = own.get('backbone/weights/0')!
  const got = Math.sqrt(stem.length / (3 * architectureOf(needed.of.architecture).stem))
  if (got !== side)
    throw new Error(
      `backbone: ${file}: needed a stem of ${side}×${side} (network.stride ${network.stride}), got ${got}×${got}`,
    )
  return own
}

const readLender = (file: string): Checkpoint<Lender> | null => {
  const found = readTensors<Partial<Lender> | null>(file)
  const { layer, of, names } = found?.state ?? {}
  return layer && of && names?.some(isBackbone) ? (found as Checkpoint<Lender>) : null
}

const fileOfLayer = (folder: string, { fingerprint, formula }: LayerMark): string => {
  const files = readdirSync(folder).map((name) => path.join(folder, name))
  const lenders = files.flatMap((file) => {
    const lender = statSync(file).isFile() ? readLender(file) : null
    return lender ? [{ file, layer: lender.state.layer }] : []
  })
  const found = lenders.find(({ layer }) => layer.fingerprint === fingerprint)
  if (found) return found.file
  const got = lenders.map(({ layer }) => layer.formula).join('; ') || 'none'
  throw new Error(`backbone: ${folder}: needed a file trained with ${formula}, got ${got}`)
}

/** Widths and depths that round to the same channels and blocks are the same. */
const shapeOf = (architecture: ArchitectureConfig): string => {
  const { stem, stages } = architectureOf(architecture)
  return JSON.stringify([stem, stages])
}

const textOf = ({ name, width, depth }: ArchitectureConfig): string =>
  `a ${name} of width ${width} and depth ${depth}`
