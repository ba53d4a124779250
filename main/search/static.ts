import { outputIndex, type Graph } from '../../shared/graph.ts'
import { dependsOnX, interpret, type Probe } from '../../shared/interpret.ts'
import { createRandom } from '../../shared/random.ts'
import type { Rejection } from '../../shared/records.ts'

/** Largest magnitude that float32 holds; beyond it the engine would see an infinity. */
const FLOAT32_MAX = 3.4e38
const SHAPE = [4, 4, 4, 8] as const
const GROUPS = 4

const probe = (scale: number, seed: string): Probe => {
  const random = createRandom('probe', seed)
  const size = SHAPE[0] * SHAPE[1] * SHAPE[2] * SHAPE[3]
  return { shape: SHAPE, data: Float64Array.from({ length: size }, () => scale * random.normal()) }
}
/** What a convolution of normalised input gives (unit scale), and twice ten times that, early in training. */
const PROBES = [probe(1, 'a'), probe(1, 'b'), probe(10, 'c')]
const V0 = new Float64Array(SHAPE[3])
const V1 = new Float64Array(SHAPE[3]).fill(1)

const reject = (reason: string, measured: number | null = null, limit: number | null = null): Rejection => ({
  stage: 'static',
  reason,
  measured,
  limit,
  architecture: null,
  step: null,
})

/**
 * Finds layers that cannot work without training anything: the output does not depend on x, is constant over
 * space, or is not finite on a probe batch `[4, 4, 4, 8]` at the trainable vectors' initial values. Rejecting
 * here does not change the distribution of what remains. Milliseconds a layer.
 */
export const staticRejection = (graph: Graph): Rejection | null => {
  if (!dependsOnX(graph)[outputIndex(graph)]) return reject('the output does not depend on x')
  const outputs = PROBES.map((x) => interpret(graph, x, V0, V1, GROUPS))
  for (const output of outputs) {
    const worst = output.find((value) => !(Math.abs(value) < FLOAT32_MAX))
    if (worst !== undefined) return reject('the output is not finite on a probe batch', null, FLOAT32_MAX)
  }
  const [first, second] = outputs
  if (first!.every((value, i) => same(value, second![i]!))) return reject('the output does not depend on x')
  if (outputs.every(constantOverSpace)) return reject('the output is constant over space')
  return null
}

const same = (a: number, b: number): boolean =>
  Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b))

const constantOverSpace = (y: Float64Array): boolean => {
  const [, h, w, c] = SHAPE
  for (let i = 0; i < y.length; i++) {
    const sample = Math.floor(i / (h * w * c))
    if (!same(y[i]!, y[sample * h * w * c + (i % c)]!)) return false
  }
  return true
}
