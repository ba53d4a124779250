/** What the results of `bench -- fidelity` come to, a row a rung. */
import { createRandom } from '../../../shared/random.ts'
import { mean } from '../../../shared/pareto.ts'
import { kendall, spearman } from './rank.ts'

/** One layer under one protocol. */
export type Result = {
  readonly name: string
  readonly kind: string
  readonly steps: number
  readonly seed: number
  /** Side of the images; depth of the networks. */
  readonly size: number
  readonly depth: number
  readonly architectures: readonly string[]
  /** Validation accuracies, 0..1; null: it diverged. */
  readonly scores: readonly number[] | null
  readonly seconds: number
}

const DRAWS = 2000
const OF = 10

const scoreOf = ({ scores }: Result): number => (scores ? mean(scores) : 0)

/** What a rung's first among ten drawn layers lacks of their best by the reference, on average. */
export const regret = (rung: readonly number[], reference: readonly number[]): number => {
  const random = createRandom('fidelity regret')
  const size = Math.min(OF, rung.length)
  const numbers = [...rung.keys()]
  const lost = Array.from({ length: DRAWS }, () => {
    const drawn = random.sample(numbers, size)
    const picked = drawn.reduce((best, n) => (rung[n]! > rung[best]! ? n : best))
    return Math.max(...drawn.map((n) => reference[n]!)) - reference[picked]!
  })
  return mean(lost)
}

export const tableText = (results: readonly Result[], referenceSteps: number): string => {
  const long = new Map(
    results.filter(({ steps }) => steps === referenceSteps).map((result) => [result.name, scoreOf(result)]),
  )
  const demo = results.find(({ steps }) => steps === referenceSteps)
  const groups = Map.groupBy(
    results.filter(({ steps, name }) => steps !== referenceSteps && long.has(name)),
    ({ steps, size, depth }) => JSON.stringify([steps, size, depth]),
  )
  const rows = [...groups.values()].flatMap((group) => {
    const seeds = [...new Set(group.map(({ seed }) => seed))].sort((a, b) => a - b)
    const { steps, size, depth } = group[0]!
    return seeds.map((_, i) => {
      const used = seeds.slice(0, i + 1)
      const perLayer = Map.groupBy(
        group.filter(({ seed }) => used.includes(seed)),
        ({ name }) => name,
      )
      const whole = [...perLayer].filter(([, own]) => own.length === used.length)
      const rung = whole.map(([, own]) => mean(own.map(scoreOf)))
      const reference = whole.map(([name]) => long.get(name)!)
      const seconds = mean(whole.map(([, own]) => own.reduce((sum, one) => sum + one.seconds, 0)))
      return [
        `${steps}`,
        `${used.length}`,
        `${size}`,
        `${depth}`,
        `${whole.length}`,
        kendall(rung, reference).toFixed(2),
        spearman(rung, reference).toFixed(2),
        (100 * regret(rung, reference)).toFixed(1),
        seconds.toFixed(1),
      ]
    })
  })
  const head = [
    'steps',
    'seeds',
    'px',
    'depth',
    'layers',
    'Kendall',
    'Spearman',
    'regret, points',
    's a layer',
  ]
  const width = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]!.length)))
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => cell.padStart(width[column]!)).join('  ')
  return [
    `against ${referenceSteps} steps, ${demo?.architectures.join(', ') ?? 'none trained yet'}; ${long.size} layers have it`,
    line(head),
    ...rows.map(line),
  ].join('\n')
}
