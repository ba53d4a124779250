/**
 * `npm run bench -- synthesis`: training steps of the BigGAN in the engine beside the same networks in PyTorch, in one run
 * and alternating. A step is one of the generator with the discriminator's before it and the moving average after.
 *
 *   --json            the measurements as JSON
 *   --preset P        networks and batch of the preset demo (default) or overnight, at 32 pixels
 *   --layer NAME      a known layer (may be given again; default BN-ReLU, EvoNorm-B0, EvoNorm-S0)
 *   --rounds N        rounds of five alternating steps (default 5)
 *   --threads N       threads of each contestant (default 1, as a worker has)
 */
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { PresetName } from '../../shared/records.ts'
import { transferPreset, type SynthesisConfig } from '../../shared/transfer.ts'
import { findPyTorch, FOLDER, peer, type Peer } from './peer.ts'
import { median, spread } from './statistics.ts'

export type SynthesisRequest =
  | { readonly do: 'make'; readonly layer: string; readonly config: SynthesisConfig }
  | { readonly do: 'step'; readonly count: number }

const STEPS = 5

export const benchSynthesis = async (args: readonly string[]): Promise<void> => {
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
  const preset = transferPreset('synthesis', values.preset as PresetName) as SynthesisConfig
  const config = { ...preset, data: { ...preset.data, imageSize: 32 } } satisfies SynthesisConfig
  const peers = contestants(values.threads)
  try {
    const rows: object[] = []
    for (const layer of values.layer) {
      const warmups = new Map<string, number>()
      const times = new Map<string, number[]>(peers.map(({ name }) => [name, []]))
      for (const { name, ask } of peers) warmups.set(name, (await ask({ do: 'make', layer, config })).seconds)
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
  }
}

const contestants = (threads: string): Peer<SynthesisRequest>[] => {
  const script = path.join(FOLDER, 'synthesis_peer.ts')
  const engine = peer<SynthesisRequest>('engine', process.execPath, [script, threads], {})
  const python = findPyTorch()
  if ('missing' in python) {
    process.stderr.write(`skipped PyTorch: ${python.missing}\n`)
    return [engine]
  }
  const environment = { OMP_NUM_THREADS: threads, MKL_NUM_THREADS: threads }
  const torch = path.join(FOLDER, 'synthesis.py')
  return [engine, peer<SynthesisRequest>('PyTorch', python.python, [torch], environment)]
}
