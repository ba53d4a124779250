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
import { enginePeer, findPyTorch, torchPeer, type Clock, type Peer, type Request } from './peer.ts'

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

export const benchCandidates = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      preset: { type: 'string', default: 'demo' },
      share: { type: 'string', default: '1' },
      processes: { type: 'string', default: '2' },
      layer: { type: 'string', multiple: true, default: ['BN-ReLU', 'EvoNorm-B0', EVOLVED[1]!, EVOLVED[2]!] },
      cpu: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const preset = values.preset as PresetName
  const clock = values.cpu ? 'cpu' : 'wall'
  const python = findPyTorch()
  if ('missing' in python) console.error(`skipped PyTorch: ${python.missing}`)
  const numbered = Array.from({ length: Number(values.processes) }, (_, i) => i)
  const sides = [
    { name: 'engine', peers: numbered.map((i) => enginePeer(`engine ${i}`, 1)) },
    ...('missing' in python
      ? []
      : [{ name: 'PyTorch', peers: numbered.map((i) => torchPeer(`PyTorch ${i}`, python.python, 1)) }]),
  ]
  const seconds = new Map<string, number[]>(sides.map(({ name }) => [name, []]))
  try {
    // Data made, libraries loaded, allocators grown: as in a worker that has been at it for a while.
    for (const { peers } of sides) await together(peers, requestFor('IN-ReLU', preset, 0.01, clock))
    for (const layer of values.layer)
      for (const { name, peers } of sides) {
        const took = await together(peers, requestFor(layer, preset, Number(values.share), clock))
        seconds.get(name)!.push(took)
        if (!values.json)
          console.log(`${layer}, ${name}: ${took.toFixed(1)} s for ${peers.length} evaluations`)
      }
  } finally {
    for (const { peers } of sides) for (const peer of peers) peer.close()
  }
  const perHour = Object.fromEntries(
    [...seconds].map(([name, list]) => {
      const total = list.reduce((sum, s) => sum + s, 0)
      return [name, (3600 * list.length * numbered.length) / total]
    }),
  )
  const ratio = perHour.PyTorch ? perHour.engine! / perHour.PyTorch : null
  const bar = preset === 'demo' ? 1.5 : 2
  if (values.json)
    console.log(JSON.stringify({ preset, share: Number(values.share), perHour, ratio, bar }, null, 2))
  else {
    for (const [name, rate] of Object.entries(perHour))
      console.log(`${name}: ${rate.toFixed(0)} candidates an hour`)
    if (ratio !== null)
      console.log(
        `engine / PyTorch ${ratio.toFixed(2)}, needed ≥ ${bar}: ${ratio >= bar ? 'reached' : 'MISSED'}`,
      )
  }
}
