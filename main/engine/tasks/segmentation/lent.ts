/** A trained backbone that another network lends: a classifier's (`classify --save`), or another detector's. */
import path from 'node:path'
import { z } from 'zod'
import { architectureOf } from '../../../../shared/architectures/index.ts'
import type { Graph } from '../../../../shared/graph.ts'
import type { ArchitectureConfig } from '../../../../shared/records.ts'
import { architectureSchema } from '../../../../shared/records/search-config.ts'
import type { SegmentationConfig } from '../../../../shared/transfer.ts'
import { kindAt, readFolder } from '../../../files.ts'
import { readCheckpoint, readHeader, tensorsOf, type Format, type Header } from '../../checkpoint.ts'
import { markOf, markSchema, namesSchema, type LayerMark } from '../../kept.ts'
import { isBackbone, type State } from '../../state.ts'

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
  const kind = kindAt(where)
  if (kind === null) throw new Error(`backbone: there is no file ${where}`)
  const file = kind === 'folder' ? fileOfLayer(where, needed.layer) : where
  const lender = readCheckpoint(file, FORMAT, (header) => requireFit(file, header, needed, network))
  const own = new Map([...tensorsOf(lender)].filter(([name]) => isBackbone(name)))
  for (const [name, values] of own)
    if (!values.every(Number.isFinite))
      throw new Error(`backbone: ${file}: needed finite weights, got ${name} with some that are not`)
  return own
}

const requireFit = (
  file: string,
  { state: { layer, of, names }, sizes }: Header<Lender>,
  needed: Pick<Lender, 'layer' | 'of'>,
  network: Network,
): void => {
  if (layer.fingerprint !== needed.layer.fingerprint)
    throw new Error(
      `backbone: ${file}: needed one trained with ${needed.layer.formula}, got one trained with ` +
        `${layer.formula} (a folder with a file for each layer serves them all)`,
    )
  if (shapeOf(of.architecture) !== shapeOf(needed.of.architecture))
    throw new Error(
      `backbone: ${file}: needed ${textOf(needed.of.architecture)}, got ${textOf(of.architecture)}`,
    )
  const side = network.stride === 4 ? 7 : 3
  const stem = sizes[names.indexOf(STEM)]!
  const got = Math.sqrt(stem / (3 * architectureOf(needed.of.architecture).stem))
  if (got !== side)
    throw new Error(
      `backbone: ${file}: needed a stem of ${side}×${side} (network.stride ${network.stride}), got ${got}×${got}`,
    )
}

/** The first convolution's kernel. */
const STEM = 'backbone/weights/0'

export const lenderSchema = z.object({
  layer: markSchema,
  of: z.object({ architecture: architectureSchema }),
  names: namesSchema.refine((names) => names.includes(STEM), `has no ${STEM}`),
}) satisfies z.ZodType<Lender>
const FORMAT: Format<Lender> = { who: 'backbone', state: lenderSchema }

const fileOfLayer = (folder: string, { fingerprint, formula }: LayerMark): string => {
  const files = readFolder(folder, 'backbone').filter(({ kind }) => kind === 'file')
  const lenders = files.flatMap(({ name }) => {
    const file = path.join(folder, name)
    const layer = layerIn(file)
    return layer ? [{ file, layer }] : []
  })
  const found = lenders.find(({ layer }) => layer.fingerprint === fingerprint)
  if (found) return found.file
  const got = lenders.map(({ layer }) => layer.formula).join('; ') || 'none'
  throw new Error(`backbone: ${folder}: needed a file trained with ${formula}, got ${got}`)
}

/** Null for a file that is no checkpoint with a backbone. */
const layerIn = (file: string): LayerMark | null => {
  try {
    return readHeader(file, FORMAT).state.layer
  } catch {
    return null
  }
}

/** Widths and depths that round to the same channels and blocks are the same. */
const shapeOf = (architecture: ArchitectureConfig): string => {
  const { stem, stages } = architectureOf(architecture)
  return JSON.stringify([stem, stages])
}

const textOf = ({ name, width, depth }: ArchitectureConfig): string =>
  `a ${name} of width ${width} and depth ${depth}`
