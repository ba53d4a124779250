import { runSegmentation } from '../../../../main/engine/tasks/segmentation/run.ts'
import { knownLayer } from '../../../../shared/known.ts'
import { transferPreset, type SegmentationConfig, type TransferResult } from '../../../../shared/transfer.ts'

const DEMO = transferPreset('segmentation', 'demo') as SegmentationConfig

/** Six steps of a network as small as they come, measured at the third and the last, a checkpoint every two. */
export const TINY: SegmentationConfig = {
  ...DEMO,
  data: { kind: 'shapes', imageSize: 64, trainingImages: 5, validationImages: 3 },
  network: { width: 0.125, depth: 0.1, stride: 2, pyramidChannels: 8, boxChannels: 16, maskChannels: 8 },
  regions: { ...DEMO.regions, anchors: 32, candidates: 40, proposals: 16, rois: 16, detections: 8 },
  training: { ...DEMO.training, steps: 6, batchSize: 2, warmupSteps: 2 },
  evaluateEvery: 3,
  checkpointEvery: 2,
}

export const runTiny = (folder: string, changed: Partial<SegmentationConfig> = {}): Promise<TransferResult> =>
  runSegmentation(
    { graph: knownLayer('EvoNorm-B0').graph, config: { ...TINY, ...changed }, seed: 3, folder },
    () => undefined,
  )

// As a process of its own, for the test that kills it: node tiny.ts <folder> <steps>
if (process.argv[1] === import.meta.filename)
  await runTiny(process.argv[2]!, { training: { ...TINY.training, steps: Number(process.argv[3]) } })
