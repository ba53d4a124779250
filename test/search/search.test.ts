import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { scoreTask } from '../../main/search/task.ts'
import { identify } from '../../shared/identity/identity.ts'
import { knownAs } from '../../shared/identity/known.ts'
import { knownIn } from '../../shared/known.ts'
import { mean } from '../../shared/pareto.ts'
import type { SearchConfig } from '../../shared/records.ts'
import { answer } from '../workers/stand-in.ts'
import { historyOf, openBench, quickPool, runToEnd, smallConfig } from './harness.ts'

test('the same seed gives the same history with one worker, with three, and with results in any order', async (t) => {
  const config = smallConfig({ inFlight: 5, maxTrained: 40 })
  const histories = []
  for (const workers of [1, 3]) {
    const bench = openBench(t, { workers })
    const { id, state } = await runToEnd(bench, config)
    assert.equal(state, 'done')
    histories.push(historyOf(bench.db, id))
  }
  for (const seed of [1, 2]) {
    const bench = openBench(t, { pool: quickPool(seed, { longest: 12 }) })
    histories.push(historyOf(bench.db, (await runToEnd(bench, config)).id))
  }
  assert.ok(histories[0]!.length > 60, `${histories[0]!.length} candidates`)
  for (const history of histories.slice(1)) assert.deepEqual(history, histories[0])
})

const quickHistory = async (t: Parameters<typeof openBench>[0], config: SearchConfig) => {
  const pool = quickPool(1)
  const bench = openBench(t, { pool })
  const search = await runToEnd(bench, config)
  assert.equal(search.state, 'done')
  return { search, pool, history: historyOf(bench.db, search.id) }
}

test('another seed, another way to win or random search give another history', async (t) => {
  const base = (await quickHistory(t, smallConfig())).history
  const others = [
    smallConfig({}, { seed: 2 }),
    smallConfig({ winner: 'average' }),
    smallConfig({ mode: 'random' }),
    smallConfig({ initial: 'random' }),
  ]
  for (const config of others) assert.notDeepEqual((await quickHistory(t, config)).history, base)
})

test('equal layers are trained once, counted, and take the scores of the first', async (t) => {
  const { history, pool } = await quickHistory(t, smallConfig({ maxTrained: 60 }))
  const scored = pool.tasks.filter(({ purpose }) => purpose === 'score')
  assert.equal(new Set(scored.map(({ graph }) => identify(graph).function)).size, scored.length)
  assert.equal(scored.length, history.filter(({ role }) => role === 'baseline').length + 60)

  const duplicates = history.filter(({ status }) => status === 'duplicate')
  assert.ok(duplicates.length > 5, `${duplicates.length} duplicates`)
  for (const { duplicateOf, sameBy, number, graph, scores } of duplicates) {
    const original = history[duplicateOf!]!
    assert.ok(original.number < number)
    assert.equal(identify(original.graph)[sameBy!], identify(graph)[sameBy!])
    assert.deepEqual(original.scores, scores)
  }
})

test('the population is the most recent distinct layers: clones do not crowd them out', async (t) => {
  const config = smallConfig({ maxTrained: 60, population: 10 })
  const { history } = await quickHistory(t, config)
  const alive = history.filter(({ alive }) => alive)
  assert.equal(alive.length, config.evolution.population)
  assert.equal(new Set(alive.map(({ fingerprint }) => fingerprint)).size, alive.length)
  for (const { role, scores } of alive) assert.ok(role === 'candidate' && scores !== null)
  // A scored layer that is not alive entered before all of those that are, or is a clone.
  const oldest = Math.min(...alive.map(({ number }) => number))
  const families = new Map<string, number>()
  for (const { alive, graph } of history)
    if (alive) families.set(identify(graph).start, (families.get(identify(graph).start) ?? 0) + 1)
  for (const { number, role, status, alive, graph } of history)
    if (role === 'candidate' && status === 'scored' && number > oldest)
      assert.ok(alive || families.get(identify(graph).start) === config.evolution.mostAlike, `#${number}`)
  assert.ok(Math.max(...families.values()) <= config.evolution.mostAlike!)
})

test('a seeded search opens with the known layers; the baselines among them are not trained again', async (t) => {
  const config = smallConfig({ initialSize: 12 })
  const { history } = await quickHistory(t, config)
  const known = knownIn('B').filter(({ graph }) => graph.nodes.length <= 10)
  const opening = history.slice(config.baselines.length, config.baselines.length + known.length)
  assert.deepEqual(
    opening.map(({ origin }) => origin),
    known.map(({ name }) => ({ kind: 'known', name })),
  )
  assert.deepEqual(
    opening.flatMap(({ duplicateOf }) => (duplicateOf === null ? [] : [history[duplicateOf]!.origin])),
    config.baselines.map((name) => ({ kind: 'known', name })),
  )
})

test('random search only draws, at the same budget', async (t) => {
  const { history } = await quickHistory(t, smallConfig({ mode: 'random', maxTrained: 30 }))
  const candidates = history.filter(({ role }) => role === 'candidate')
  assert.ok(candidates.every(({ origin }) => origin.kind === 'random'))
  const trained = candidates.filter(({ status, rejected }) => status !== 'duplicate' && rejected !== 'static')
  assert.equal(trained.length, 30)
})

test('every mutation has a parent before it, computes something else, and differs in one node and in neutral ones', async (t) => {
  const { history } = await quickHistory(t, smallConfig())
  const mutations = history.flatMap((candidate) =>
    candidate.origin.kind === 'mutation' ? [{ ...candidate, mutation: candidate.origin }] : [],
  )
  assert.ok(mutations.length > 10)
  for (const { number, graph, mutation } of mutations) {
    const parent = history[mutation.parent]!
    assert.ok(parent.number < number)
    assert.notEqual(identify(graph).function, identify({ ...parent.graph, affine: true }).function)
    const changed = graph.nodes.filter((node, i) => !isDeepStrictEqual(node, parent.graph.nodes[i]))
    assert.ok(changed.length <= 1 + (mutation.neutral ?? 0), `#${number}: ${changed.length} nodes`)
  }
})

test('baselines and candidates are trained by one protocol, the re-ranking by another seed for longer', async (t) => {
  const config = smallConfig()
  const { pool } = await quickHistory(t, config)
  const scores = pool.tasks.filter(({ purpose }) => purpose === 'score')
  const reranks = pool.tasks.filter(({ purpose }) => purpose === 'rerank')
  assert.equal(new Set(scores.map(({ seed }) => seed)).size, 1)
  assert.notEqual(reranks[0]!.seed, scores[0]!.seed)
  for (const { training, rejection } of reranks) {
    assert.deepEqual(training, { ...config.training, steps: config.evolution.rerank.steps })
    assert.equal(rejection, null)
  }
  const baselines = scores.filter(({ rejection }) => rejection === null)
  assert.equal(baselines.length, config.baselines.length)
  for (const { training, data } of scores) assert.deepEqual([training, data], [config.training, config.data])
})

test('the best distinct layers that were found and the best known one are trained longer, and no others', async (t) => {
  const config = smallConfig({ rerank: { count: 4, steps: 500 } })
  const { history } = await quickHistory(t, config)
  const reranked = history.filter(({ rerankScores }) => rerankScores !== null)
  const worth = ({ scores }: { scores: readonly number[] | null }): number => (scores ? mean(scores) : -1)
  const best = history.filter(({ status }) => status === 'scored').sort((a, b) => worth(b) - worth(a))
  const found = ({ role, graph }: (typeof best)[number]): boolean =>
    role === 'candidate' && knownAs(identify(graph)) === null
  const distinct = best
    .filter(found)
    .map(({ fingerprint }) => fingerprint)
    .slice(0, 4)
  const baseline = best.find((layer) => !found(layer))!
  assert.deepEqual(
    new Set(reranked.map(({ fingerprint }) => fingerprint)),
    new Set([...distinct, baseline.fingerprint]),
  )
  for (const { evaluations } of reranked)
    assert.equal(evaluations.filter(({ purpose, steps }) => purpose === 'rerank' && steps === 500).length, 3)
})

test('without re-ranking the search ends after its last candidate', async (t) => {
  const { search, pool } = await quickHistory(t, smallConfig({ rerank: { count: 0, steps: 0 } }))
  assert.equal(search.stage, 'finished')
  assert.ok(pool.tasks.every(({ purpose }) => purpose === 'score'))
})

test('a limit of time ends the proposals, and running time is kept', async (t) => {
  const bench = openBench(t, { pool: quickPool(1) })
  const search = await runToEnd(bench, smallConfig({ maxTrained: 0, maxSeconds: 1 }))
  assert.deepEqual([search.state, search.stage], ['done', 'finished'])
  assert.ok(search.seconds >= 1, `${search.seconds} s`)
})

test('a candidate whose worker crashes is recorded with the cause, and the search goes on', async (t) => {
  const failure = { cause: 'crashed with SIGSEGV', trace: 'the last words', attempts: 2 }
  const pool = quickPool(1, {
    interfere: ({ candidate }) => (candidate === 9 ? { kind: 'failure', failure } : null),
  })
  const bench = openBench(t, { pool })
  const { id, state } = await runToEnd(bench, smallConfig())
  assert.equal(state, 'done')
  const failed = historyOf(bench.db, id).filter(({ status }) => status === 'failed')
  assert.deepEqual(
    failed.map(({ number, failure, alive }) => ({ number, failure, alive })),
    [{ number: 9, failure, alive: false }],
  )
})

test('a layer that diverges in the re-ranking keeps its score, and is not trained again', async (t) => {
  const config = smallConfig({ rerank: { count: 1, steps: 400 } })
  const rejection = {
    stage: 'quality',
    reason: 'the loss was not finite',
    measured: null,
    limit: null,
    architecture: 'resnet',
    step: 7,
  } as const
  const pool = quickPool(1, {
    interfere: ({ task }) =>
      task.purpose === 'rerank'
        ? { kind: 'result', result: { ...answer(task), scores: null, rejection } }
        : null,
  })
  const bench = openBench(t, { pool })
  const { id, state } = await runToEnd(bench, config)
  assert.equal(state, 'done')
  const diverged = historyOf(bench.db, id).filter(({ failure }) => failure !== null)
  assert.ok(diverged.length > 0)
  for (const { status, scores, rerankScores, failure } of diverged) {
    assert.equal(status, 'scored')
    assert.ok(scores !== null && rerankScores === null)
    assert.match(failure!.cause, /re-ranking: the loss was not finite \(resnet, step 7\)/)
  }
})

test('a task says all a worker needs', () => {
  const config = smallConfig()
  const graph = { version: 1, nodes: [{ op: 'tanh', inputs: [0] }], affine: true } as const
  assert.deepEqual(scoreTask(config, graph, 'candidate'), {
    ...scoreTask(config, graph, 'baseline'),
    rejection: config.rejection,
  })
})
