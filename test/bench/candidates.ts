/**
 * `npm run bench -- candidates`: whole evaluations an hour (training of every network of a preset, validations, stability
 * test), the engine beside the same evaluation in PyTorch, each by single-threaded processes side by side.
 *
 *   --preset P        demo (default), overnight or paper
 *   --share S         share of a training's steps that is run (default 1); what comes before and after stays whole
 *   --processes N     single-threaded processes of each side (default 2)
 *   --layer L         layers (may be given again; default: two known ones and two of the ten fixed ones)
 *   --cpu             processor time instead of wall time
 *   --json
 */
import { parseArgs } from 'node:util'
import { architectureOf } from '../../shared/architectures/index.ts'
import { PRESETS } from '../../shared/catalog.ts'
import type { EvaluationTask, PresetName } from '../../shared/records.ts'
import { caseOf, EVOLVED, graphOf } from './cases.ts'
import type { Bar } from './bars.ts'
import { enginePeer, findPyTorch, torchPeer, type Clock, type Peer, type Request } from './peer.ts'
import { printBars } from './table.ts'

const requestFor = (layer: string, preset: PresetName, share: number, clock: Clock): Request => {
  const { config } = PRESETS[preset]
  const steps = Math.max(4, Math.round(share * config.training.steps))
  const { stability } = config.rejection!
  const stabilitySteps = Math.max(2, Math.round(share * stability.steps))
  const data = { ...config.data, kind: 'shapes', validationImages: 1000, trainingImages: 4000 } as const
  const task: EvaluationTask = {
    purpose: 'score',
    graph: graphOf(layer),
    seed: 1,
    data,
    architectures: config.architectures,
    training: { ...config.training, steps, warmupSteps: Math.min(config.training.warmupSteps, steps - 1) },
    // Nothing is rejected, so that every evaluation is whole.
    rejection: {
      quality: { steps: Math.ceil(steps / 2), minAccuracy: 0 },
      stability: { ...stability, steps: stabilitySteps, maxGradientNorm: 1e300 },
    },
  }
  const forPyTorch = {
    ...caseOf('resnet', layer, preset),
    batch: config.training.batchSize,
    imageSize: data.imageSize,
    architectures: config.architectures.map(architectureOf),
    steps,
    images: data.trainingImages,
    validationImages: data.validationImages,
    stabilitySteps,
    stabilityBatch: stability.batchSize,
  }
  return { do: 'evaluate', clock, task, case: forPyTorch }
}

/** Seconds until every process has evaluated the layer once; those of processor time, of the one that took most. */
const together = async (peers: readonly Peer[], request: Request): Promise<number> => {
  const answers = await Promise.all(peers.map((peer) => peer.ask(request)))
  return Math.max(...answers.map(({ seconds }) => seconds))
}

export type CandidatesOptions = {
  readonly preset: PresetName
  readonly share: number
  readonly processes?: number
  readonly layers?: readonly string[]
  readonly clock?: Clock
}

/** Candidates an hour of each side. */
export type Rates = { readonly engine: number; readonly PyTorch: number | null }

const LAYERS = ['BN-ReLU', 'EvoNorm-B0', EVOLVED[1]!, EVOLVED[2]!]

export const candidateRates = async (
  { preset, share, processes = 2, layers = LAYERS, clock = 'wall' }: CandidatesOptions,
  say: (text: string) => void,
): Promise<Rates> => {
  const python = findPyTorch()
  if ('missing' in python) say(`skipped PyTorch: ${python.missing}`)
  const numbered = Array.from({ length: processes }, (_, i) => i)
  const sides = [
    { name: 'engine', peers: numbered.map((i) => enginePeer(`engine ${i}`, 1)) },
    ...('missing' in python
      ? []
      : [{ name: 'PyTorch', peers: numbered.map((i) => torchPeer(`PyTorch ${i}`, python.python, 1)) }]),
  ]
  const seconds = new Map<string, number>()
  try {
    // Data made, libraries loaded, allocators grown: as in a worker that has been at it for a while.
    for (const { peers } of sides) await together(peers, requestFor('IN-ReLU', preset, 0.01, clock))
    for (const layer of layers)
      for (const { name, peers } of sides) {
        const took = await together(peers, requestFor(layer, preset, share, clock))
        seconds.set(name, (seconds.get(name) ?? 0) + took)
        say(`${preset}, ${layer}, ${name}: ${took.toFixed(1)} s for ${processes} evaluations`)
      }
  } finally {
    for (const { peers } of sides) for (const peer of peers) peer.close()
  }
  const rate = (name: string): number | null =>
    seconds.has(name) ? (3600 * layers.length * processes) / seconds.get(name)! : null
  return { engine: rate('engine')!, PyTorch: rate('PyTorch') }
}

export const candidatesBar = (preset: PresetName, { engine, PyTorch }: Rates): Bar => ({
  what: `candidates an hour, ${preset} / PyTorch`,
  bar: preset === 'demo' ? 1.5 : 2,
  atLeast: true,
  measured: PyTorch === null ? null : engine / PyTorch,
  unit: '',
})

export const benchCandidates = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      preset: { type: 'string', default: 'demo' },
      share: { type: 'string', default: '1' },
      processes: { type: 'string', default: '2' },
      layer: { type: 'string', multiple: true, default: LAYERS },
      cpu: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const preset = values.preset as PresetName
  const options: CandidatesOptions = {
    preset,
    share: Number(values.share),
    processes: Number(values.processes),
    layers: values.layer,
    clock: values.cpu ? 'cpu' : 'wall',
  }
  const rates = await candidateRates(options, values.json ? () => undefined : console.log)
  const bar = candidatesBar(preset, rates)
  if (values.json) console.log(JSON.stringify({ ...options, rates, bar }, null, 2))
  else {
    for (const [name, rate] of Object.entries(rates))
      if (rate !== null) console.log(`${name}: ${rate.toFixed(0)} candidates an hour`)
    printBars([bar])
  }
}
