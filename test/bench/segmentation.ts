/**
 * `npm run bench -- segmentation`: training steps of Mask R-CNN in the engine beside the same network in PyTorch, in one
 * run and alternating.
 *
 *   --json            the measurements as JSON
 *   --preset P        network and data of the preset demo (default) or overnight
 *   --layer NAME      a known layer (may be given again; default BN-ReLU, EvoNorm-B0, EvoNorm-S0)
 *   --rounds N        rounds of five alternating steps (default 5)
 *   --threads N       threads of each contestant (default 1, as a worker has)
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { openData } from '../../main/engine/tasks/segmentation/data.ts'
import { createBatches } from '../../main/engine/tasks/segmentation/batches.ts'
import { settingsOf, type Settings } from '../../main/engine/tasks/segmentation/settings.ts'
import type { PresetName } from '../../shared/records.ts'
import { transferPreset, type SegmentationConfig } from '../../shared/transfer.ts'
import { findPyTorch, FOLDER, peer, type Peer } from './peer.ts'
import { median, spread } from './statistics.ts'

export type SegmentationRequest =
  | { readonly do: 'make'; readonly layer: string; readonly settings: Settings; readonly batch: string }
  | { readonly do: 'step'; readonly count: number }

const STEPS = 5

export const benchSegmentation = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      preset: { type: 'string', default: 'demo' },
      layer: { type: 'string', multiple: true, default: ['BN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0'] },
      rounds: { type: 'string', default: '5' },
      threads: { type: 'string', default: '1' },
    },
  })
  const config = transferPreset('segmentation', values.preset as PresetName) as SegmentationConfig
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'normforge-bench-'))
  const peers = contestants(values.threads)
  try {
    const few = { ...config, data: { ...config.data, trainingImages: config.training.batchSize } }
    const { data } = await openData(few)
    const settings = settingsOf(config, data.categories.length)
    const batch = await createBatches(data.training, settings, 1).at(0)
    for (const [name, numbers] of Object.entries(batch)) fs.writeFileSync(path.join(folder, name), numbers)
    const rows: object[] = []
    for (const layer of values.layer) {
      const warmups = new Map<string, number>()
      const times = new Map<string, number[]>(peers.map(({ name }) => [name, []]))
      for (const { name, ask } of peers)
        warmups.set(name, (await ask({ do: 'make', layer, settings, batch: folder })).seconds)
      for (let round = 0; round < Number(values.rounds); round++)
        for (const { name, ask } of peers)
          // The first one finds the caches full of another's data.
          times.get(name)!.push(...(await ask({ do: 'step', count: STEPS + 1 })).ms.slice(1))
      for (const { name } of peers) {
        const ms = times.get(name)!
        const row = { layer, name, warmupSeconds: warmups.get(name)!, stepMs: median(ms), spread: spread(ms) }
        rows.push(row)
        if (!values.json)
          console.log(
            `${layer.padEnd(12)} ${name.padEnd(8)} ${row.stepMs.toFixed(1).padStart(8)} ms a step (± ${row.spread.toFixed(1)}), first step after ${row.warmupSeconds.toFixed(1)} s`,
          )
      }
    }
    if (values.json)
      console.log(JSON.stringify({ preset: values.preset, threads: values.threads, rows }, null, 2))
  } finally {
    for (const { close } of peers) close()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

const contestants = (threads: string): Peer<SegmentationRequest>[] => {
  const engine = peer<SegmentationRequest>(
    'engine',
    process.execPath,
    [path.join(FOLDER, 'segmentation_peer.ts'), threads],
    {},
  )
  const python = findPyTorch()
  if ('missing' in python) {
    process.stderr.write(`skipped PyTorch: ${python.missing}\n`)
    return [engine]
  }
  const torch = peer<SegmentationRequest>('PyTorch', python.python, [path.join(FOLDER, 'segmentation.py')], {
    OMP_NUM_THREADS: threads,
    MKL_NUM_THREADS: threads,
  })
  return [engine, torch]
}
