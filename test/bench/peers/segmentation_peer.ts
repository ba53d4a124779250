/** The engine's Mask R-CNN in a process of its own, answering one JSON request a line as segmentation.py does. */
import fs from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'
import { loadRuntime } from '../../../main/engine/runtime.ts'
import type { Batch } from '../../../main/engine/tasks/segmentation/batches.ts'
import { createDetector, type Detector } from '../../../main/engine/tasks/segmentation/detector.ts'
import { knownLayer } from '../../../shared/known.ts'
import { transferPreset, type SegmentationConfig } from '../../../shared/transfer.ts'
import type { SegmentationRequest } from '../segmentation.ts'

const RATE = 0.001
let detector: Detector | undefined
let batch: Batch | undefined

const readBatch = (folder: string): Batch => {
  const bytes = (name: string) => new Uint8Array(fs.readFileSync(path.join(folder, name))).buffer
  const [float, int] = [
    (name: string) => new Float32Array(bytes(name)),
    (name: string) => new Int32Array(bytes(name)),
  ]
  return {
    images: float('images'),
    anchors: int('anchors'),
    anchorObject: int('anchorObject'),
    boxes: float('boxes'),
    classes: int('classes'),
    masks: float('masks'),
    chance: float('chance'),
  }
}

const answer = (request: SegmentationRequest): object => {
  if (request.do === 'make') {
    detector?.dispose()
    batch = readBatch(request.batch)
    const started = performance.now()
    const { training } = transferPreset('segmentation', 'demo') as SegmentationConfig
    const settings = {
      ...request.settings,
      anchors: Float32Array.from(Object.values(request.settings.anchors)),
    }
    detector = createDetector({ graph: knownLayer(request.layer).graph, settings, training, seed: 1 })
    detector.step(batch, RATE)
    return { seconds: (performance.now() - started) / 1000 }
  }
  const ms = Array.from({ length: request.count }, () => {
    const started = performance.now()
    detector!.step(batch!, RATE)
    return performance.now() - started
  })
  return { ms }
}

loadRuntime({ threads: Number(process.argv[2] ?? 1) })
for await (const line of readline.createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line) as SegmentationRequest))}\n`)
