/**
 * A store with a search in it that never ran: layers, mutations, duplicates, static rejections and ages are real (the
 * search's own state machine proposes and judges), scores and curves are made up. For looking at the page with many
 * candidates, and for tests of it; the search says so in its name.
 *
 *     node test/app/seed.ts <data folder> [candidates] [seed]
 */
import { fingerprint } from '../../shared/canonical.ts'
import { mean } from '../../shared/pareto.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { knownLayer } from '../../shared/known.ts'
import type { SearchConfig } from '../../shared/records.ts'
import { History } from '../../main/search/history.ts'
import type { Change } from '../../main/store/verdict.ts'
import { addCandidate, setAlive, settle, settleRerank } from '../../main/store/candidates.ts'
import type { Database } from '../../main/store/database.ts'
import { createSearch, keyOf, setSeconds, updateSearch } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import { madeUpResult } from './made-up.ts'

/** Candidates a transaction. */
const CHUNK = 500
const STATIC_SECONDS = 0.002
/** What known layers are worth above their pieces. */
const KNOWN_BONUS = 0.6

export type SeedOptions = { readonly candidates: number; readonly seed: number }

/** Adds a finished search of `candidates` candidates (baselines not counted). Returns its id. */
export const seedStore = (dataFolder: string, options: SeedOptions): { readonly id: string } => {
  const db = openStore(dataFolder)
  try {
    return { id: seedSearch(db, options) }
  } finally {
    db.close()
  }
}

const seedConfig = ({ candidates, seed }: SeedOptions): SearchConfig => {
  const { config } = PRESETS.overnight
  const population = Math.max(12, Math.min(200, Math.round(candidates / 12)))
  return {
    ...config,
    seed,
    data: PRESETS.demo.config.data,
    evolution: {
      ...config.evolution,
      population,
      initialSize: Math.ceil(population / 3),
      maxTrained: candidates,
      maxSeconds: 0,
      rerank: { count: 5, steps: 1000 },
    },
  }
}

const seedSearch = (db: Database, options: SeedOptions): string => {
  const config = seedConfig(options)
  const { id } = createSearch(db, {
    name: `Fixture: ${options.candidates.toLocaleString('en')} made-up candidates`,
    config,
    made: { fixture: 'scores and curves are made up; nothing was trained' },
  })
  const key = keyOf(db, id)
  const history = new History(config)
  const scored = new Map<number, number>()
  let clock = 0

  db.write(() => {
    for (const [number, name] of config.baselines.entries()) {
      const { graph } = knownLayer(name)
      const made = madeUpResult(graph, config, { lucky: KNOWN_BONUS, judged: false })
      if (!('result' in made)) throw new Error(`seed: baseline ${name} has no result`)
      clock += made.result.seconds / 2
      settle(db, key, number, made, clock)
      history.baseline({ number, graph })
      history.settleBaseline(number, made.result.scores)
    }
    updateSearch(db, key, { stage: 'search' })
  })

  const first = config.baselines.length
  for (let from = first; from < first + options.candidates; from += CHUNK)
    db.write(() => {
      for (let number = from; number < Math.min(from + CHUNK, first + options.candidates); number++)
        clock = addOne(db, key, history, number, clock, scored)
    })

  const best = [...scored].sort((a, b) => b[1] - a[1]).slice(0, config.evolution.rerank.count)
  db.write(() => {
    const known = config.baselines.indexOf('EvoNorm-B0')
    for (const number of [...best.map(([number]) => number), known]) {
      const graph = JSON.parse(
        String(db.get('SELECT graph FROM layers WHERE search = ? AND number = ?', key, number)!['graph']),
      )
      settleRerank(db, key, number, madeUpResult(graph, config, { judged: false, purpose: 'rerank' }))
    }
    updateSearch(db, key, { state: 'done', stage: 'finished' })
  })
  setSeconds(db, key, clock)
  return id
}

/** Proposes, judges and settles one candidate; gives the time on the search's clock after it. */
const addOne = (
  db: Database,
  key: number,
  history: History,
  number: number,
  clock: number,
  scored: Map<number, number>,
): number => {
  const { graph, origin } = history.propose(number)
  const verdict = history.judge(graph)
  const proposed = {
    number,
    role: 'candidate',
    graph,
    fingerprint: fingerprint(graph),
    origin,
    verdict,
  } as const
  let now = clock + STATIC_SECONDS
  addCandidate(db, key, { ...proposed, atSeconds: now })
  let change: Change = history.take(proposed)
  if (verdict.kind === 'train') {
    const made = madeUpResult(graph, history.config, { lucky: origin.kind === 'known' ? KNOWN_BONUS : 0 })
    const scores = 'result' in made ? made.result.scores : null
    now += 'result' in made ? made.result.seconds / 2 : 60
    settle(db, key, number, made, now)
    change = history.commit(number, scores)
    if (scores) scored.set(number, mean(scores))
  }
  setAlive(db, key, change)
  return now
}

if (import.meta.main) {
  const [folder, candidates = '10000', seed = '1'] = process.argv.slice(2)
  if (folder === undefined || !/^\d+$/.test(candidates) || !/^\d+$/.test(seed)) {
    console.error('usage: node test/app/seed.ts <data folder> [candidates] [seed]')
    process.exitCode = 1
  } else {
    const { id } = seedStore(folder, { candidates: Number(candidates), seed: Number(seed) })
    console.log(`search ${id}: ${candidates} made-up candidates in ${folder}`)
  }
}
