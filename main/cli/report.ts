/** What a search found, as JSON and as readable text: the same for its end and for `show`. */
import { ARCHITECTURES } from '../../shared/catalog.ts'
import { formulaText } from '../../shared/formula.ts'
import { reportLines } from '../../shared/data.ts'
import { mean } from '../../shared/pareto.ts'
import type { Search } from '../../shared/records.ts'
import type { SearchSummary } from '../../shared/contract.ts'
import type { Database } from '../store/database.ts'
import { candidateDetail, lineage } from '../store/reading.ts'
import { keyOf } from '../store/searches.ts'
import { summaryOf } from '../summary.ts'
import { count, duration, oneLine, percent, shortened, table } from './text.ts'

/** A layer with its scores (validation accuracies, 0..1, in the order of the search's architectures). */
export type Ranked = {
  readonly number: number
  readonly name: string
  readonly formula: string
  readonly fingerprint: string
  readonly scores: readonly number[]
  readonly average: number
  readonly rerankScores: readonly number[] | null
}
export type Report = {
  readonly search: Search
  readonly funnel: SearchSummary['funnel']
  /** Distinct layers that the search found, best first: re-ranked ones by that, then the others. */
  readonly best: readonly Ranked[]
  /** Layers of the literature that the search was given, or came upon again, beside the baselines; best first. */
  readonly known: readonly Ranked[]
  readonly baselines: readonly (Omit<Ranked, 'scores' | 'average'> & {
    readonly scores: readonly number[] | null
    readonly average: number | null
  })[]
}

const BEST = 10

export const reportOf = (db: Database, search: Search): Report => {
  const key = keyOf(db, search.id)
  const nodes = lineage(db, key)
  const nameOf = new Map(nodes.map(({ number, origin, known }) => [number, known ?? origin]))
  const layer = (number: number) => {
    const { candidate } = candidateDetail(db, key, number)!
    const { fingerprint, rerankScores } = candidate
    const name = nameOf.get(number)!
    return { number, name, formula: formulaText(candidate.graph), fingerprint, rerankScores }
  }
  const scored = nodes
    .filter(({ role, scores }) => role === 'candidate' && scores !== null)
    .sort((a, b) => b.average! - a.average! || a.number - b.number)
  // Equal layers are shown once, as the one that was trained: a candidate may be equal to a baseline.
  const distinct = [...new Map(scored.map((node) => [node.duplicateOf ?? node.number, node]))]
  const most = Math.max(BEST, search.config.evolution.rerank.count)
  const rankedOf = (group: typeof distinct): Ranked[] =>
    group
      .map(([number, { scores, average }]) => ({ ...layer(number), scores: scores!, average: average! }))
      .slice(0, most)
      .sort((a, b) => merit(b)[0] - merit(a)[0] || merit(b)[1] - merit(a)[1])
      .slice(0, BEST)
  const merit = ({ rerankScores, average }: Ranked): [number, number] =>
    rerankScores ? [1, mean(rerankScores)] : [0, average]
  const trained = new Set(nodes.filter(({ role }) => role === 'baseline').map(({ number }) => number))
  return {
    search,
    funnel: summaryOf(db, search, 1).funnel,
    best: rankedOf(distinct.filter(([, { known }]) => known === null)),
    known: rankedOf(distinct.filter(([number, { known }]) => known !== null && !trained.has(number))),
    baselines: nodes
      .filter(({ role }) => role === 'baseline')
      .map(({ number, scores, average }) => ({ ...layer(number), scores, average })),
  }
}

const FORMULA = 60

export const reportText = ({ search, funnel, best, known, baselines }: Report): string => {
  const { config } = search
  const architectures = config.architectures.map(({ name }) => ARCHITECTURES[name].short)
  const row = (layer: Report['baselines'][number]): string[] => [
    `#${layer.number}`,
    layer.name,
    ...config.architectures.map((_, i) => (layer.scores ? percent(layer.scores[i]!) : '-')),
    layer.average === null ? '-' : percent(layer.average),
    layer.rerankScores ? percent(mean(layer.rerankScores)) : '',
    shortened(layer.formula, FORMULA),
  ]
  const layers = (title: string, rows: readonly string[][]): string =>
    table(['', title, ...architectures, 'average', 'longer', 'formula'], rows, [
      0,
      ...[...architectures, 1, 2].map((_, i) => 2 + i),
    ])
  return [
    `${oneLine(search.name)} (${search.id}): ${stateText(search)}, ${duration(search.seconds)} of running`,
    '',
    best.length > 0 ? layers('best found layers', best.map(row)) : '  no found layer has a score yet',
    ...(known.length > 0 ? ['', layers('known layers among them', known.map(row))] : []),
    '',
    layers('baselines', baselines.map(row)),
    '',
    `  ${funnelText(funnel)}`,
    ...(search.data ? reportLines(search.data).map((line) => `  ${line}`) : []),
    `  accuracies on ${(search.data?.validationImages ?? config.data.validationImages).toLocaleString('en')} validation images after ` +
      `${config.training.steps} steps` +
      (config.evolution.rerank.count > 0 ? `, "longer" after ${config.evolution.rerank.steps}` : ''),
  ].join('\n')
}

export const stateText = ({ state, stage, failure }: Search): string =>
  state === 'done' ? 'done' : `${state} in stage ${stage}${failure ? ` (${failure})` : ''}`

export const funnelText = (funnel: SearchSummary['funnel']): string =>
  [
    count(funnel.generated, 'candidate'),
    `${funnel.scored} scored`,
    `${count(funnel.duplicate, 'duplicate')} (${funnel.sameFunction} only by function)`,
    `rejected: ${funnel.static} static, ${funnel.quality} quality, ${funnel.stability} stability`,
    ...(funnel.failed > 0 ? [`${funnel.failed} failed`] : []),
    ...(funnel.pending > 0 ? [`${funnel.pending} pending`] : []),
  ].join(', ')
