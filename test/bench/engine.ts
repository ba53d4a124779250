/**
 * `npm run bench -- engine`: the engine beside TensorFlow.js as it comes, PyTorch and torch.compile, in one run and
 * alternating; and beside its limit, the same network with a bare tanh at every site.
 *
 *   --json            the measurements as JSON
 *   --width W         networks of the preset demo, overnight (default) or paper
 *   --only TEXT       cases whose "network layer" contains the text (may be given again)
 *   --rounds N        rounds of alternating steps (default 5)
 *   --threads N       threads of each contestant (default 2)
 *   --isa avx2        all as on a processor without AVX-512: the engine's kernels compiled for x86-64-v3, oneDNN (the
 *                     engine's and PyTorch's), PyTorch's own kernels and MKL held to AVX2; by default the processor's own
 *   --cpu             the processes' own processor time instead of wall time: for a busy machine, with --threads 1
 *   --compile         torch.compile for every case (a minute or more each), not only for the one that has a bar
 *   --no-compile      without it
 *   --no-eager        without TensorFlow.js as it comes
 *   --no-candidates   without candidates an hour (see candidates.ts), which --only and --cpu leave out, too
 */
import { parseArgs } from 'node:util'
import { barsOf, LIMIT, type Bar } from './bars.ts'
import { candidateRates, candidatesBar } from './candidates.ts'
import { allCases, caseOf, limitOf, type Width } from './cases.ts'
import { within } from './isa.ts'
import { enginePeer, findPyTorch, torchPeer } from './peer.ts'
import { measure, type Contestant, type Row } from './steps.ts'
import { printBars, printRow } from './table.ts'

/** Whole evaluations at the demo; overnight, a part of their steps, which leaves the warm-up as it is. */
const CANDIDATES = [
  ['demo', 1],
  ['overnight', 0.02],
] as const

export const benchEngine = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      width: { type: 'string', default: 'overnight' },
      only: { type: 'string', multiple: true, default: [] },
      isa: { type: 'string', default: 'native' },
      rounds: { type: 'string', default: '5' },
      threads: { type: 'string', default: '2' },
      cpu: { type: 'boolean', default: false },
      compile: { type: 'boolean', default: false },
      'no-compile': { type: 'boolean', default: false },
      'no-eager': { type: 'boolean', default: false },
      'no-candidates': { type: 'boolean', default: false },
    },
  })
  await within(values.isa, (isa) => compare(values, isa))
}

type Values = {
  readonly [flag in 'json' | 'cpu' | 'compile' | 'no-compile' | 'no-eager' | 'no-candidates']: boolean
} & { readonly [text in 'width' | 'rounds' | 'threads']: string } & { readonly only: readonly string[] }

const compare = async (values: Values, isa: string): Promise<void> => {
  const say = (text: string): void => void process.stderr.write(`${text}\n`)
  const threads = Number(values.threads)
  const width = values.width as Width
  const clock = values.cpu ? 'cpu' : 'wall'
  const contestants: Contestant[] = [
    { peer: enginePeer('engine', threads), make: {}, steps: 3 },
    { peer: enginePeer(LIMIT, threads), make: {}, steps: 3, instead: limitOf },
  ]
  const python = findPyTorch()
  if ('missing' in python) say(`skipped PyTorch: ${python.missing}`)
  else {
    contestants.push({ peer: torchPeer('PyTorch', python.python, threads), make: {}, steps: 3 })
    if (values['no-compile']) say('skipped torch.compile: --no-compile')
    else
      contestants.push({
        peer: torchPeer('torch.compile', python.python, threads),
        make: { compile: true },
        steps: 3,
      })
  }
  if (values['no-eager']) say('skipped TensorFlow.js eager: --no-eager')
  else
    contestants.push({
      peer: enginePeer('tfjs eager', threads, {
        NORMFORGE_LAYERS: 'tape',
        NORMFORGE_DEPTHWISE: 'tensorflow',
      }),
      make: { eager: true },
      steps: 1,
    })

  const rows: Row[] = []
  if (!values.json) console.log(`${threads} threads, ${clock} time, ${isa}`)
  try {
    // A first network, so that what follows meets warm processes.
    for (const { peer } of contestants.filter(({ make }) => !make.compile && !make.eager))
      await peer.ask({ do: 'make', clock, case: caseOf('resnet', 'IN-ReLU', 'demo') })
    for (const given of allCases(width)) {
      const name = `${given.network} ${given.layer}`
      if (values.only.length > 0 && !values.only.some((text) => name.includes(text))) continue
      const all = values.compile || (given.network === 'resnet' && given.layer === 'EvoNorm-B0')
      const some = contestants.filter(({ make }) => all || !make.compile)
      const row = await measure(given, some, Number(values.rounds), clock)
      rows.push(row)
      if (!values.json) printRow(row)
    }
  } finally {
    for (const { peer } of contestants) peer.close()
  }
  const candidates: Bar[] = []
  const skipped = values['no-candidates'] || values.cpu || values.only.length > 0
  for (const [preset, share] of skipped ? [] : CANDIDATES) {
    const rates = await candidateRates({ preset, share }, values.json ? say : console.log)
    candidates.push(candidatesBar(preset, rates))
  }
  const bars = [...barsOf(rows, width), ...candidates]
  if (values.json) console.log(JSON.stringify({ threads, clock, isa, width, python, rows, bars }, null, 2))
  else printBars(bars)
}
