import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mutate, padToTen, randomLayer } from '../../main/search/mutate.ts'
import { staticRejection } from '../../main/search/static.ts'
import { parseFormula } from '../../shared/formula.ts'
import { KNOWN } from '../../shared/known.ts'
import { createRandom } from '../../shared/random.ts'

test('no known layer is rejected', () => {
  for (const { name, graph } of KNOWN) assert.equal(staticRejection(graph), null, name)
})

test('the reason names what is wrong', () => {
  for (const [formula, reason] of [
    ['sigmoid(v1 + v0)', /does not depend on x/],
    ['x - x', /does not depend on x/],
    ['v0 * x', /does not depend on x/],
    ['std_hw(x) * v1', /constant over space/],
    ['mean_hwc(x) + mean_nhw(x)', /constant over space/],
    ['exp(square(square(x)))', /not finite on a probe batch/],
  ] as const) {
    const rejection = staticRejection(parseFormula(formula))
    assert.match(rejection?.reason ?? 'none', reason, formula)
    assert.equal(rejection?.stage, 'static')
  }
})

test('layers that keep x alive pass', () => {
  for (const formula of ['x', 'x / (v0 - v0)', 'max(x, 0)', 'tanh(exp(x))', 'x - mean_nhw(x)'])
    assert.equal(staticRejection(parseFormula(formula)), null, formula)
})

test('about nine in ten random layers and about one in four mutations of known layers end here', (t) => {
  let random = 0
  let mutated = 0
  const start = performance.now()
  for (let i = 0; i < 1000; i++) {
    const chance = createRandom('static', i)
    if (staticRejection(randomLayer('B', chance))) random++
    const known = KNOWN[i % KNOWN.length]!.graph
    if (staticRejection(mutate(padToTen(known, 'B', chance), 'B', chance).graph)) mutated++
  }
  const each = (performance.now() - start) / 2000
  t.diagnostic(
    `rejected: ${random / 10} % of random layers, ${mutated / 10} % of mutations; ${each.toFixed(2)} ms each`,
  )
  assert.ok(random > 870 && random < 960)
  assert.ok(mutated > 200 && mutated < 320)
})
