import type { DataReport } from '../../../../shared/data.ts'
import type { SynthesisConfig } from '../../../../shared/transfer.ts'
import { checkData } from '../../data/index.ts'
import { readInception } from './inception.ts'

/** The data, and the network that judges the images where one is given. */
export const checkSynthesis = async ({ data, network }: SynthesisConfig): Promise<DataReport> => {
  if (network.inception !== undefined) readInception(network.inception)
  return checkData(data)
}
