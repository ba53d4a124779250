import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { chartOf } from '../../main/study/chart.ts'
import { PLANS, planSchema, type Plan } from '../../main/study/plan.ts'
import { csvOf, pageOf, rowsOf } from '../../main/study/report.ts'
import { bandsOf, bestAt, resultsOf, type Results, type Run } from '../../main/study/results.ts'
import { openStore } from '../../main/store/store.ts'
import { listSearches } from '../../main/store/searches.ts'
import { quantile } from '../../shared/statistics.ts'
import { cli } from './cli.ts'
import { dataFolder, until } from './stand-in-app.ts'

const PLAN: Plan = {
  title: 'Random & evolved',
  paper: 'Said elsewhere.',
  arms: [
    { name: 'random', set: ['evolution.mode=random', 'evolution.initial=random'] },
    { name: 'evolved', set: ['evolution.initialSize=4'] },
  ],
  seeds: [1, 2],
  trained: 8,
}
const planFile = (folder: string): string => {
  const file = path.join(folder, 'plan.json')
  writeFileSync(file, JSON.stringify(PLAN))
  return file
}
/** Names, points and outcomes: searches have ids, and trainings times, of their own. */
const figuresOf = ({ runs }: Results) =>
  runs.map(({ name, baseline, passed, points }) => ({
    name,
    baseline,
    passed,
    points: points.map(({ trained, best }) => [trained, best]),
  }))

test('a study that is killed goes on with the same command, and ends at the figures of one left alone', async () => {
  const [folder, other] = [dataFolder(), dataFolder()]
  const out = path.join(folder, 'out')
  const args = (where: string) => [
    'study',
    '--plan',
    planFile(where),
    '--data',
    'shapes',
    '--data-folder',
    where,
    '--workers',
    '2',
    '--json',
  ]
  const states = () => {
    const db = openStore(folder, 'read')
    try {
      return listSearches(db).map(({ state }) => state)
    } finally {
      db.close()
    }
  }
  const killed = await cli(args(folder), { NORMFORGE_STANDIN_MS: '60' }, async (kill) => {
    await until('the second search', async () => states().length === 2)
    kill('SIGKILL')
  })
  assert.equal(killed.code, null)
  const [done, alone] = await Promise.all([cli([...args(folder), '--out', out]), cli(args(other))])
  assert.equal(done.code, 0, done.err)
  assert.equal(alone.code, 0, alone.err)
  const results = JSON.parse(done.out) as Results
  assert.deepEqual(figuresOf(results), figuresOf(JSON.parse(alone.out) as Results))
  assert.deepEqual(states(), ['done', 'done', 'done', 'done'])
  assert.ok(results.runs.every(({ points }) => points.length === PLAN.trained))
  const rows = readFileSync(path.join(out, 'study.csv'), 'utf8').trim().split('\n')
  assert.equal(rows.length, 1 + 4 * PLAN.trained)
  const page = readFileSync(path.join(out, 'study.html'), 'utf8')
  assert.match(page, /<h1>Random &#38; evolved<\/h1>/)
  assert.match(page, /Said elsewhere\./)
  assert.equal(page.match(/<svg/g)!.length, 2)
  const again = await cli(args(folder))
  assert.equal(again.out, done.out, 'nothing is done again')
})

const run = (arm: number, seed: number, scores: readonly (number | null)[], seconds = 1): Run => {
  let best: number | null = null
  return {
    arm,
    seed,
    name: '',
    search: 's',
    baseline: 0.3,
    passed: scores.findIndex((score) => (score ?? 0) > 0.3) + 1 || null,
    points: scores.map((score, i) => {
      if (score !== null) best = Math.max(best ?? 0, score)
      return { trained: i + 1, seconds: (i + 1) * seconds, best }
    }),
  }
}

test('arms are compared at as many trainings and at as much work; bands are quartiles over seeds', () => {
  const points = run(0, 1, [null, 0.2, 0.1, 0.4], 2).points
  assert.deepEqual(
    [1, 2, 3, 9].map((most) => bestAt(points, 'trained', most)),
    [0, 0.2, 0.2, 0.4],
  )
  assert.deepEqual(
    [3.9, 4, 8].map((most) => bestAt(points, 'seconds', most)),
    [0, 0.2, 0.4],
  )
  // NumPy: quantile([1, 2, 4, 10], [0.25, 0.5, 0.75]) is 1.75, 3, 5.5.
  assert.deepEqual(
    [0.25, 0.5, 0.75].map((share) => quantile([10, 1, 4, 2], share)),
    [1.75, 3, 5.5],
  )
  const runs = [1, 2, 3].map((seed) => run(0, seed, [0.1 * seed, 0.1 * seed]))
  const [first] = bandsOf(runs, 0, 'trained', 1)
  assert.deepEqual([first!.at, first!.middle], [2, 0.2])
  assert.ok(Math.abs(first!.low - 0.15) < 1e-12 && Math.abs(first!.high - 0.25) < 1e-12)
})

test('what is said of a study: medians, how many passed the baseline, one row of CSV a training', () => {
  const plan = { ...PLAN, arms: [{ name: 'a "b"', set: [] }, PLAN.arms[1]!] }
  const runs = [run(0, 1, [0.1, 0.2]), run(0, 2, [0.1, 0.4]), run(1, 1, [0.4]), run(1, 2, [0.5])]
  const results: Results = { plan, id: 'x', runs, tests: [] }
  assert.deepEqual(rowsOf(results)[0], [
    'a "b"',
    '2',
    '30.0 (25.0 to 35.0)',
    '2 (2 to 2), 1 of 2',
    '2 (2 to 2)',
  ])
  assert.equal(csvOf(results).split('\n')[1], '"a ""b""",1,s,1,1.00,0.1')
  assert.match(pageOf(results, '<set>'), /&#60;set&#62;/)
  assert.match(chartOf(results, 'trained'), /^<svg .*<\/svg>$/)
})

test('a study without a finished search has no results, and every named plan is one', () => {
  const db = openStore(dataFolder())
  const { runs, tests } = resultsOf(db, PLAN, 'none')
  db.close()
  assert.deepEqual(
    [runs.length, tests.map(({ pairs, p }) => [pairs, p])],
    [
      0,
      [
        [0, null],
        [0, null],
      ],
    ],
  )
  for (const plan of Object.values(PLANS)) assert.deepEqual(planSchema.parse(plan), plan)
})
