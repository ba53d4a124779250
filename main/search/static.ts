import { outputIndex, type Graph } from '../../shared/graph.ts'
import { dependsOnX, interpret, type Numbers, type Probe, type Shape } from '../../shared/interpret.ts'
import { createRandom } from '../../shared/random.ts'
import type { Rejection } from '../../shared/records.ts'

const FLOAT32_MAX = 3.4028234663852886e38
const SHAPE: Shape = [4, 4, 4, 8]
const GROUPS = 4

const probe = (scale: number, seed: string): Probe => {
  const random = createRandom('probe', seed)
  const size = SHAPE[0] * SHAPE[1] * SHAPE[2] * SHAPE[3]
  return { shape: SHAPE, data: Float32Array.from({ length: size }, () => scale * random.normal()) }
}
/** What a convolution of normalised input gives (unit scale), twice; ten times that, early in training. */
const PROBES = [probe(1, 'a'), probe(1, 'b'), probe(10, 'c')]
const V0 = new Float64Array(SHAPE[3])
const V1 = new Float64Array(SHAPE[3]).fill(1)

const reject = (reason: string, limit: number | null = null): Rejection => ({
  stage: 'static',
  reason,
  measured: null,
  limit,
  architecture: null,
  step: null,
})

/**
 * Finds layers that cannot work, without training anything: on standard-normal probe batches `[4, 4, 4, 8]`
 * (and one ten times as large), with v0 = 0 and v1 = 1 as at the start of training, the output in float32 is
 * not finite, does not depend on x, or is constant over space. About half a millisecond a layer. Rejecting
 * here does not change the distribution of what remains.
 */
export const staticRejection = (graph: Graph): Rejection | null => {
  if (!dependsOnX(graph)[outputIndex(graph)]) return reject('the output does not depend on x')
  const outputs: Numbers[] = []
  for (const x of PROBES) {
    const output = interpret(graph, x, V0, V1, GROUPS)
    if (!output.every(Number.isFinite))
      return reject('the output is not finite on a probe batch', FLOAT32_MAX)
    outputs.push(output)
  }
  const [first, second] = outputs
  if (first!.every((value, i) => same(value, second![i]!))) return reject('the output does not depend on x')
  if (outputs.every(constantOverSpace)) return reject('the output is constant over space')
  return null
}

/** Equal up to rounding in float32. */
const same = (a: number, b: number): boolean =>
  Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b))

const constantOverSpace = (y: Numbers): boolean => {
  const [, h, w, c] = SHAPE
  for (let i = 0; i < y.length; i++) {
    const sample = Math.floor(i / (h * w * c))
    if (!same(y[i]!, y[sample * h * w * c + (i % c)]!)) return false
  }
  return true
}
