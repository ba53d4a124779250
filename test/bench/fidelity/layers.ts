/**
 * The fixed layers of `bench -- fidelity`, a third of each kind in turn, so that any first part of the list is
 * stratified: known layers, known ones some mutations on, and random ones, both as far as they survive what a search
 * asks of them. `npm run bench -- fidelity --draw` draws them anew (layers.json).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { mutateFunction, padToTen, randomLayer } from '../../../main/search/mutate.ts'
import { staticRejection } from '../../../main/search/static.ts'
import { canonical } from '../../../shared/canonical.ts'
import { formulaText, parseFormula } from '../../../shared/formula.ts'
import type { Graph } from '../../../shared/graph.ts'
import { identify } from '../../../shared/identity/identity.ts'
import { KNOWN } from '../../../shared/known.ts'
import { createRandom } from '../../../shared/random.ts'

export type FidelityLayer = {
  readonly kind: 'known' | 'evolved' | 'random'
  readonly name: string
  readonly graph: Graph
}
type Kept = Pick<FidelityLayer, 'kind'> & { readonly formula: string }

const FILE = new URL('layers.json', import.meta.url)

export const fidelityLayers = (): FidelityLayer[] => {
  const drawn = JSON.parse(readFileSync(FILE, 'utf8')) as Kept[]
  const of = (kind: 'evolved' | 'random'): FidelityLayer[] =>
    drawn
      .filter((layer) => layer.kind === kind)
      .map(({ formula }) => ({ kind, name: formula, graph: parseFormula(formula) }))
  const strata = [
    KNOWN.map(({ name, graph }): FidelityLayer => ({ kind: 'known', name, graph })),
    of('evolved'),
    of('random'),
  ]
  const longest = Math.max(...strata.map(({ length }) => length))
  return Array.from({ length: longest }, (_, i) => strata.flatMap((stratum) => stratum[i] ?? [])).flat()
}

/** Draws layers until `survives` has let enough through, and keeps them. */
export const drawLayers = async (
  counts: Readonly<Record<'evolved' | 'random', number>>,
  survives: (graph: Graph) => Promise<boolean>,
): Promise<void> => {
  const starts = KNOWN.filter(({ graph }) => graph.nodes.length <= 10)
  const seen = new Set(KNOWN.map(({ graph }) => identify({ ...graph, affine: true }).start))
  const draw = {
    random: (n: number): Graph => randomLayer('B', createRandom('fidelity random', n)),
    evolved: (n: number): Graph => {
      const random = createRandom('fidelity evolved', n)
      let graph = padToTen(random.pick(starts).graph, 'B', random)
      for (let steps = 1 + random.below(4); steps > 0; steps--)
        graph = mutateFunction(graph, 'B', random).graph
      return graph
    },
  }
  const kept: Kept[] = []
  for (const kind of ['evolved', 'random'] as const)
    for (let n = 0, found = 0; found < counts[kind]; n++) {
      const graph = draw[kind](n)
      if (staticRejection(graph) !== null) continue
      const { start } = identify(graph)
      if (seen.has(start) || !(await survives(graph))) continue
      seen.add(start)
      found++
      kept.push({ kind, formula: formulaText(canonical(graph)) })
      console.log(`${kind} ${found} of ${counts[kind]}, draw ${n}: ${kept.at(-1)!.formula}`)
      writeFileSync(FILE, `${JSON.stringify(kept, null, 2)}\n`)
    }
}
