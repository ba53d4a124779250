import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseFormula } from '../../../shared/formula.ts'
import { allCells, evaluateDual, type Point } from '../../../shared/identity/dual.ts'
import { RULES } from '../../../shared/identity/rules.ts'
import { ABSORBED_EXAMPLES, simplify } from '../../../shared/identity/simplify.ts'
import { graphOf } from '../../../shared/identity/term.ts'
import type { Shape } from '../../../shared/interpret.ts'
import { EPSILON } from '../../../shared/ops.ts'
import { createRandom } from '../../../shared/random.ts'

type Case = Readonly<{ y: number[]; dx: number[] | null; dv0: number[] | null; dv1: number[] | null }>
/** Made by test/reference/rules.py. */
const REFERENCE = JSON.parse(
  readFileSync(new URL('../../reference/rules.json', import.meta.url), 'utf8'),
) as Readonly<Record<'x' | 'v0' | 'v1' | 'dy', number[]>> & {
  readonly shape: Shape
  readonly groups: number
  readonly cases: Readonly<Record<string, Case>>
}
const { shape, groups, x, v0, v1, dy } = REFERENCE
const CELLS = allCells(shape, groups)
const CHANNELS = shape[3]

const random = createRandom('direction')
const direction = (length: number): number[] => Array.from({ length }, () => random.normal())
const DIRECTION = { x: direction(x.length), v0: direction(CHANNELS), v1: direction(CHANNELS) }
const full = (v: readonly number[]): Float64Array => Float64Array.from(x, (_, i) => v[i % v.length]!)
const POINT: Point = {
  x: { value: full(x), tangent: full(DIRECTION.x) },
  v0: { value: full(v0), tangent: full(DIRECTION.v0) },
  v1: { value: full(v1), tangent: full(DIRECTION.v1) },
}
const dot = (a: ArrayLike<number>, b: ArrayLike<number> | null): number =>
  b === null ? 0 : Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0)
const near = (got: number, wanted: number, scale: number, what: string): void =>
  assert.ok(Math.abs(got - wanted) <= 1e-4 * (Math.abs(wanted) + scale), `${what}: ${got}, PyTorch ${wanted}`)

for (const { name, examples } of RULES)
  test(`${name}: the simplified formula has the values and gradients of the formula as PyTorch computes it`, () => {
    for (const [before, after] of examples) {
      const term = simplify(parseFormula(before, false))
      assert.equal(term.text, simplify(parseFormula(after, false)).text, `${before} is ${after}`)
      const { y, dx, dv0, dv1 } = REFERENCE.cases[before]!
      const { value, tangent } = evaluateDual(graphOf(term, false), POINT, CELLS, EPSILON)
      for (const [i, wanted] of y.entries()) near(value[i]!, wanted, 1e-2, `${before} at ${i}`)
      // Along one direction of all inputs: Σ dy · tangent = Σ gradient · direction.
      const wanted = dot(DIRECTION.x, dx) + dot(DIRECTION.v0, dv0) + dot(DIRECTION.v1, dv1)
      near(dot(dy, tangent), wanted, 1, `the derivative of ${before}`)
    }
  })

test('what γ and β take over is left out where an affine closes the layer, and only there', () => {
  for (const [before, after] of ABSORBED_EXAMPLES) {
    assert.equal(simplify(parseFormula(before, true)).text, simplify(parseFormula(after, true)).text, before)
    assert.notEqual(
      simplify(parseFormula(before, false)).text,
      simplify(parseFormula(after, false)).text,
      before,
    )
  }
  for (const kept of ['tanh(x) + v1', 'tanh(x) * sigmoid(v0)', 'v0 + v1', 'max(x + v0, 0)'])
    assert.equal(simplify(parseFormula(kept, true)).text, simplify(parseFormula(kept, false)).text, kept)
})
