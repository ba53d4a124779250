import assert from 'node:assert/strict'
import { test } from 'node:test'
import { History } from '../../main/search/history.ts'
import { Journal } from '../../main/search/journal.ts'
import { replay, type Replayed } from '../../main/search/replay.ts'
import { scoreTask } from '../../main/search/task.ts'
import type { Context } from '../../main/search/trainings.ts'
import { addCandidate, aliveNumbers, setAlive, settle } from '../../main/store/candidates.ts'
import { acquireLease, createHolder } from '../../main/store/leases.ts'
import { knownLayer } from '../../shared/known.ts'
import { fingerprint } from '../../shared/canonical.ts'
import { createRandom } from '../../shared/random.ts'
import type { SearchConfig } from '../../shared/records.ts'
import { answer, STAND_IN } from '../workers/stand-in.ts'
import { createPool } from '../../main/workers/pool.ts'
import { addSearch, CONFIG, FAILED, storeOf } from './fixture.ts'

const EVOLUTION = { ...CONFIG.evolution, population: 6, initialSize: 8, inFlight: 3 }

/** Everything that what comes next depends on. */
const stateOf = (history: History, next: number) => ({
  members: history.members,
  inFlight: history.inFlight,
  trained: history.trained,
  proposals: [0, 1, 2].map((i) => history.propose(next + i)),
})

test('the store holds all that a search needs to go on as if nothing had happened', async (t) => {
  const db = storeOf(t)
  const config: SearchConfig = { ...CONFIG, evolution: EVOLUTION }
  const { id, key } = addSearch(db, config)
  const holder = createHolder()
  acquireLease(db, key, holder)
  const pool = createPool({ evaluator: STAND_IN, count: 1 })
  const journal = new Journal(db, key, holder, 0, (error) => assert.fail(String(error)))
  t.after(() => {
    journal.close()
    pool.close()
  })
  const controller = new AbortController()
  const context: Context = {
    db,
    key,
    id,
    pool,
    journal,
    controller,
    made: () => ({}),
    onStart: () => undefined,
  }

  const history = new History(config)
  for (const [number, name] of config.baselines.entries()) {
    const { graph } = knownLayer(name)
    const { scores, ...rest } = answer(scoreTask(config, graph, 'baseline'))
    settle(db, key, number, { result: { scores, ...rest } }, 0)
    history.baseline({ number, graph })
    history.settleBaseline(number, scores)
  }

  // Results come in any order; some only just before they are committed.
  const chance = createRandom('order')
  const results = new Map<number, readonly number[] | null>()
  const finish = (number: number): void => {
    if (results.has(number)) return
    const { graph } = graphs.get(number)!
    const result = answer(scoreTask(config, graph, 'candidate'))
    const failed = number % 11 === 0
    settle(db, key, number, failed ? FAILED : { result }, number)
    results.set(number, failed ? null : result.scores)
  }
  const graphs = new Map<number, ReturnType<History['propose']>>()

  let checked = 0
  let next = config.baselines.length
  for (; next < 400; next++) {
    if (next % 20 === 0) {
      const again: Replayed = await replay(context, config)
      assert.equal(again.next, next)
      assert.deepEqual(stateOf(again.history, next), stateOf(history, next))
      assert.deepEqual(
        again.unfinished.map(({ number }) => number),
        history.inFlight.filter((number) => !results.has(number)),
      )
      assert.deepEqual(
        [...again.settled.keys()].filter((number) => number >= config.baselines.length),
        history.inFlight.filter((number) => results.has(number)),
      )
      checked += 1
    }
    while (history.isFull()) {
      const oldest = history.oldest!
      finish(oldest)
      setAlive(db, key, history.commit(oldest, results.get(oldest)!))
    }
    const proposal = history.propose(next)
    const verdict = history.judge(proposal.graph)
    const candidate = {
      number: next,
      role: 'candidate',
      ...proposal,
      fingerprint: fingerprint(proposal.graph),
      verdict,
    } as const
    addCandidate(db, key, candidate)
    graphs.set(next, proposal)
    setAlive(db, key, history.take(candidate))
    for (const number of history.inFlight) if (chance.next() < 0.3) finish(number)
  }
  assert.ok(checked >= 19)
  assert.ok(history.trained > 40, `${history.trained} trained`)
  assert.equal(history.members.length, EVOLUTION.population)
  assert.deepEqual(
    aliveNumbers(db, key),
    history.members.map(({ number }) => number).sort((a, b) => a - b),
  )
})
