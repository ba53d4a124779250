/** `npm run bench -- <what>`: measurements, apart from the tests, which never look at the clock. */
import { benchCandidates } from './candidates.ts'
import { benchEngine } from './engine.ts'
import { benchFidelity } from './fidelity.ts'
import { benchGpu } from './gpu.ts'
import { benchHeap } from './heap.ts'
import { benchIdentity } from './identity.ts'
import { benchMachines } from './machines.ts'
import { benchMemory } from './memory.ts'
import { benchSegmentation } from './segmentation.ts'
import { benchSynthesis } from './synthesis.ts'
import { benchTune } from './tune.ts'
import { benchUi } from './ui.ts'

const BENCHES: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  engine: benchEngine,
  candidates: benchCandidates,
  fidelity: benchFidelity,
  gpu: benchGpu,
  heap: benchHeap,
  identity: benchIdentity,
  machines: benchMachines,
  memory: benchMemory,
  segmentation: benchSegmentation,
  synthesis: benchSynthesis,
  tune: benchTune,
  ui: benchUi,
}

const [what = 'engine', ...args] = process.argv.slice(2)
const bench = BENCHES[what]
if (bench) await bench(args)
else {
  console.error(`bench: needed one of ${Object.keys(BENCHES).join(', ')}, got "${what}"`)
  process.exitCode = 1
}
