import { isReached, type Bar } from './bars.ts'
import type { Row } from './steps.ts'

const MIB = 2 ** 20

/** One line for each contestant of a case. Passes are the layer's: forward and backward over its full-size tensors. */
export const printRow = ({ case: given, results, passes }: Row): void => {
  const { kernels, ops, tfjs } = passes
  const counted: Readonly<Record<string, string>> = {
    engine: `passes ${kernels} (by TensorFlow's ops ${ops})`,
    'tfjs eager': `passes ${tfjs}`,
  }
  console.log(`${given.network}, ${given.layer} (batch ${given.batch})`)
  const engine = results.engine!
  for (const [name, { stepMs, spread, warmupSeconds, peakBytes }] of Object.entries(results)) {
    const ratio = name === 'engine' ? '' : `engine/this ${(engine.stepMs / stepMs).toFixed(2)}`
    console.log(
      `  ${name.padEnd(14)} ${stepMs.toFixed(1).padStart(8)} ms ±${(100 * spread).toFixed(0)} %  first ${warmupSeconds.toFixed(2).padStart(6)} s` +
        `  peak ${(peakBytes / MIB).toFixed(0).padStart(5)} MiB  ${[ratio, counted[name] ?? ''].filter((text) => text !== '').join('  ')}`,
    )
  }
}

export const printBars = (bars: readonly Bar[]): void => {
  const width = Math.max(...bars.map(({ what }) => what.length))
  for (const bar of bars) {
    const reached = isReached(bar)
    const value = bar.measured === null ? 'not measured' : `${bar.measured.toFixed(2)} ${bar.unit}`
    const verdict = reached === null ? '' : reached ? 'reached' : 'MISSED'
    console.log(
      `${bar.what.padEnd(width)}  ${bar.atLeast ? '≥' : '≤'} ${bar.bar}  ${value.padStart(12)}  ${verdict}`,
    )
  }
}
