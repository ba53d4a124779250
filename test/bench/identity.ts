/**
 * How well layers that are one function are told (shared/identity): on random layers and mutations of known ones, every
 * pair that the identity calls equal is compared directly on other values (collisions), and every pair that the symbolic
 * engine derives to one expression must have been called equal (misses).
 */
import { parseArgs } from 'node:util'
import { mutate, padToTen, randomLayer } from '../../main/search/mutate.ts'
import { hash128 } from '../../shared/canonical.ts'
import { formulaText } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { asTrained, identify } from '../../shared/identity/identity.ts'
import { interpret, type Numbers, type Shape } from '../../shared/interpret.ts'
import { KNOWN } from '../../shared/known.ts'
import { createRandom } from '../../shared/random.ts'
import { isFull, type Expression, type Value } from '../../shared/symbolic/expression.ts'
import { forward } from '../../shared/symbolic/forward.ts'
import { createSymbols } from '../../shared/symbolic/symbols.ts'

const SHAPE: Shape = [3, 3, 3, 4]
/** Relative to the largest value: far above rounding errors, far below what tells functions apart. */
const EQUAL = 1e-5

/** Random layers, and known ones up to eight mutations on. */
const layerOf = (number: number): Graph => {
  const random = createRandom('identity bench', number)
  if (number % 2 === 0) return { ...randomLayer('B', random), affine: false }
  const short = KNOWN.filter(({ graph }) => graph.nodes.length <= 10)
  let graph = padToTen(random.pick(short).graph, 'B', random)
  for (let n = random.below(8); n >= 0; n--) graph = mutate(graph, 'B', random).graph
  return { ...graph, affine: false }
}

/** The derived expression as text: the same in every arena. */
const symbolicText = (graph: Graph): string => {
  const texts = new Map<Expression, string>()
  const textOf = (value: Value): string => {
    const terms = [...value.terms].map(
      ([expression, by]) => `${typeof by === 'number' ? by.toPrecision(9) : textOf(by)}*${of(expression)}`,
    )
    return `(${terms.sort().join('+')}|${isFull(value) ? textOf(value.rest) : value.rest.toPrecision(9)})`
  }
  const made = (expression: Expression): string => {
    switch (expression.kind) {
      case 'leaf':
      case 'dimension':
        return expression.name
      case 'product':
        return [...expression.powers]
          .map(([factor, power]) => `${of(factor)}^${power}`)
          .sort()
          .join('*')
      case 'sum':
        return textOf(expression.value)
      case 'function':
        return `${expression.name}${expression.dims}${expression.grouped}(${expression.inputs.map(of).join(',')})`
    }
  }
  const of = (expression: Expression): string => {
    let text = texts.get(expression)
    if (text === undefined) texts.set(expression, (text = hash128(made(expression))))
    return text
  }
  return textOf(forward(graph, 'training', [], createSymbols()).y)
}

/** Values on three batches that the identity doesn't know. */
const valuesOf = (graph: Graph): Numbers[] =>
  [0, 1, 2].map((batch) => {
    const random = createRandom('identity bench values', batch)
    const vector = (length: number): Float64Array =>
      Float64Array.from({ length }, () => (1 + batch) * random.normal())
    return interpret(asTrained(graph), { shape: SHAPE, data: vector(108) }, vector(4), vector(4), 2)
  })
const differs = (a: Numbers, b: Numbers): boolean => {
  const scale = Math.max(1e-6, ...Array.from(a, (value) => (Number.isFinite(value) ? Math.abs(value) : 0)))
  return a.some((value, i) => Number.isFinite(value) && !(Math.abs(value - b[i]!) <= EQUAL * scale))
}

export const benchIdentity = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: { layers: { type: 'string', default: '100000' } },
  })
  const count = Number(values.layers)
  const byFunction = new Map<string, number>()
  const bySymbols = new Map<string, number>()
  const kinds = { formula: new Set<string>(), function: new Set<string>(), start: new Set<string>() }
  const found = { collisions: 0, misses: 0, equal: 0, symbolic: 0 }
  const show = (what: string, a: number, b: number): void =>
    console.log(
      `  ${what}: ${formulaText(layerOf(a)).slice(0, 100)}   and   ${formulaText(layerOf(b)).slice(0, 100)}`,
    )
  let milliseconds = 0
  for (let number = 0; number < count; number++) {
    const graph = layerOf(number)
    const before = performance.now()
    const identity = identify(graph)
    milliseconds += performance.now() - before
    for (const kind of ['formula', 'function', 'start'] as const) kinds[kind].add(identity[kind])
    const twin = byFunction.get(identity.function)
    if (twin === undefined) byFunction.set(identity.function, number)
    else {
      found.equal++
      const [mine, other] = [valuesOf(graph), valuesOf(layerOf(twin))]
      if (mine.some((batch, i) => differs(batch, other[i]!)) && found.collisions++ < 10)
        show('collision', twin, number)
    }
    const text = symbolicText(graph)
    const same = bySymbols.get(text)
    if (same === undefined) bySymbols.set(text, number)
    else {
      found.symbolic++
      const { formula, function: its } = identify(layerOf(same))
      if (formula !== identity.formula && its !== identity.function && found.misses++ < 10)
        show('miss', same, number)
    }
  }
  console.log(
    `${count} layers: ${kinds.formula.size} formulas, ${kinds.function.size} functions, ${kinds.start.size} at the start of training\n` +
      `${found.equal} told to be an earlier one's function: ${found.collisions} of them differ elsewhere (collisions)\n` +
      `${found.symbolic} derive to an earlier one's expression: ${found.misses} of them not told (misses)\n` +
      `${(milliseconds / count).toFixed(2)} ms a layer`,
  )
}
