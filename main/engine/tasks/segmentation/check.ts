import type { DataReport } from '../../../../shared/data.ts'
import type { SegmentationConfig } from '../../../../shared/transfer.ts'
import type { TransferQuestion } from '../../../workers/protocol.ts'
import { inspectData } from './data.ts'
import { lentBackbone } from './lent.ts'

/** The data, and the backbone for each layer where one is given. */
export const checkSegmentation = async (
  config: SegmentationConfig,
  layers: TransferQuestion['layers'],
): Promise<DataReport> => {
  const { backbone } = config.network
  if (backbone !== undefined)
    for (const { label, graph } of layers)
      try {
        lentBackbone(backbone, graph, config.network)
      } catch (error) {
        throw new Error(`${label}: ${(error as Error).message}`, { cause: error })
      }
  return (await inspectData(config, true)).report
}
