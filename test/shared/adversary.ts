/**
 * A search for layers that are hard to derive, and what deriving one takes, counted. The worst found are kept in
 * reference/worst_layers.json: `node test/shared/adversary.ts [seed] [rounds]` searches on from them and writes them anew.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { canonical, fingerprint } from '../../shared/canonical.ts'
import { deriveLayer, deriveSecond } from '../../shared/derivative.ts'
import { INPUTS, type Graph, type GraphNode } from '../../shared/graph.ts'
import { OP_NAMES, OPS, type OpName } from '../../shared/ops.ts'
import { createRandom, type Random } from '../../shared/random.ts'
import { parseGraph } from '../../shared/rules.ts'
import { from } from '../../shared/symbolic/algebra.ts'
import { FULL } from '../../shared/symbolic/expression.ts'
import { forward } from '../../shared/symbolic/forward.ts'
import { reachable } from '../../shared/symbolic/products.ts'
import { gradient, STRATEGIES } from '../../shared/symbolic/reverse.ts'
import { createSymbols } from '../../shared/symbolic/symbols.ts'

/** The most nodes that a layer from outside may have (shared/records/graph.ts). */
export const MOST_NODES = 64
const KEPT = 6
const FILE = new URL('../reference/worst_layers.json', import.meta.url)

export const worstLayers = (): Graph[] =>
  (JSON.parse(readFileSync(FILE, 'utf8')) as unknown[]).map((graph) => parseGraph(graph, 'worst_layers.json'))

/** Ops and how far back each takes its inputs (0 and less: the layer's inputs), again and again. */
export const repeated = (pattern: readonly (readonly [op: OpName, ...back: number[]])[]): Graph => ({
  version: 1,
  affine: true,
  nodes: Array.from({ length: MOST_NODES }, (_, i): GraphNode => {
    const [op, ...back] = pattern[i % pattern.length]!
    return { op, inputs: back.map((b) => (b <= 0 ? -b : Math.max(0, INPUTS.length + i - b))) }
  }),
})

export type Work = {
  /** Expressions of y and its gradients, in the costliest strategy. */
  readonly first: number
  /** With the gradients of its gradient by x, in the cheapest. */
  readonly second: number
  /** Factors of the longest product, powers counted as often as they stand for one. */
  readonly factors: number
  /** Instructions of the programs: training, inference, second derivatives. */
  readonly instructions: number
}

export const workOf = (graph: Graph): Work => {
  const form = canonical(graph)
  const training = deriveLayer(form, 'training')
  const inference = deriveLayer(form, 'inference')
  const second = deriveSecond(form)
  const built = STRATEGIES.map((strategy) => {
    const symbols = createSymbols()
    const layer = forward(form, 'training', [], symbols)
    const leaves = Object.values(layer.leaves)
    const seeds = ['dy', 'cotangent'].map((name) => from(symbols.arena.leaf(name, FULL)))
    const first = gradient([[layer.y, seeds[0]!]], leaves, symbols, strategy)
    const expressions = symbols.arena.size()
    const further = gradient([[first[0]!, seeds[1]!]], leaves, symbols, strategy)
    const factors = reachable([...first, ...further]).map((expression) =>
      expression.kind === 'product'
        ? [...expression.powers.values()].reduce((sum, exponent) => sum + Math.abs(exponent), 0)
        : 1,
    )
    return { first: expressions, second: symbols.arena.size(), factors: Math.max(...factors, 1) }
  })
  return {
    first: Math.max(...built.map(({ first }) => first)),
    second: Math.min(...built.map(({ second }) => second)),
    factors: Math.max(...built.map(({ factors }) => factors)),
    instructions:
      training.forward.length +
      training.backward!.instructions.length +
      inference.forward.length +
      (second?.instructions.length ?? 0),
  }
}

/** Mostly one of the tensors just before, so that the graph is deep. */
const randomNode = (i: number, ops: readonly OpName[], random: Random): GraphNode => {
  const op = random.pick(ops)
  const before = INPUTS.length + i
  const input = (): number => (random.next() < 0.7 ? before - 1 - random.below(4) : random.below(before))
  return { op, inputs: Array.from({ length: OPS[op].arity }, input) }
}

/** A random layer of few different ops: every node at random, or a short pattern again and again. */
export const randomWorst = (random: Random): Graph => {
  const picked = Array.from({ length: 1 + random.below(5) }, () => random.pick(OP_NAMES))
  const ops: OpName[] = random.next() < 0.7 ? [...picked, 'mul', 'add'] : picked
  if (random.next() < 0.5) {
    const nodes = Array.from({ length: MOST_NODES }, (_, i) => randomNode(i, ops, random))
    return { version: 1, affine: true, nodes }
  }
  const back = (): number => (random.next() < 0.15 ? -random.below(4) : 1 + random.below(5))
  return repeated(
    Array.from({ length: 1 + random.below(5) }, () => {
      const op = random.pick(ops)
      return [op, ...Array.from({ length: OPS[op].arity }, back)] as const
    }),
  )
}

const mutated = (graph: Graph, random: Random): Graph => {
  const changed = new Set(Array.from({ length: 1 + random.below(3) }, () => random.below(MOST_NODES)))
  const nodes = graph.nodes.map((node, i) => (changed.has(i) ? randomNode(i, OP_NAMES, random) : node))
  return { ...graph, nodes }
}

const badness = ({ first, second, instructions }: Work): number => first + second + instructions

/** Hill climbing from `start`: the `KEPT` layers whose derivation takes most. */
export const searchWorst = (start: readonly Graph[], rounds: number, random: Random): Graph[] => {
  const scored = (graph: Graph) => ({ graph, score: badness(workOf(graph)), print: fingerprint(graph) })
  let worst = start.map(scored)
  for (let i = 0; i < rounds; i++) {
    const anew = worst.length === 0 || random.next() < 0.25
    const found = scored(anew ? randomWorst(random) : mutated(random.pick(worst).graph, random))
    if (worst.some(({ print }) => print === found.print)) continue
    worst = [...worst, found].sort((a, b) => b.score - a.score).slice(0, KEPT)
  }
  return worst.map(({ graph }) => graph)
}

if (import.meta.main) {
  const [seed = '1', rounds = '1000'] = process.argv.slice(2)
  const worst = searchWorst(worstLayers(), Number(rounds), createRandom('adversary', seed))
  writeFileSync(FILE, `[\n${worst.map((graph) => `  ${JSON.stringify(graph)}`).join(',\n')}\n]\n`)
  for (const graph of worst) console.log(workOf(graph))
}
