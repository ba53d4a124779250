import assert from 'node:assert/strict'
import { test } from 'node:test'
import { candidateDetail, lineage } from '../../main/store/reading.ts'
import { openStore } from '../../main/store/store.ts'
import { parseFormula } from '../../shared/formula.ts'
import { readable, unreadableOf } from '../../shared/records/unreadable.ts'
import { add, addSearch, scored, storeOf } from '../store/fixture.ts'
import { settle } from '../../main/store/candidates.ts'
import { openApp, segmentationConfig } from './harness.ts'

const layer = (formula: string) => ({ graph: parseFormula(formula, true), label: formula })

test('a promotion or a result that can’t be read keeps none of the others waiting', async (t) => {
  const before = openApp(t)
  const promote = async (formula: string) =>
    (await before.ask('transfers.promote', { layer: layer(formula), config: segmentationConfig() })).summary
      .promotion.id
  const done = await promote('x * sigmoid(x) / rms_hwg(x)')
  await before.ended(done)
  const broken = await promote('tanh(x) / std_hwg(x)')
  await before.ask('transfers.pause', { id: broken })
  await before.close()

  const db = openStore(before.folder)
  db.run(`UPDATE promotions SET state = 'queued', config = '{"version": 99}' WHERE id = ?`, broken)
  const [run] = db.all("SELECT key FROM transfer_runs WHERE state = 'done' ORDER BY key")
  db.run(`UPDATE transfer_runs SET result = '{"step": "all"}' WHERE key = ?`, String(run!['key']))
  db.close()

  const { ask, ended } = openApp(t, { folder: before.folder })
  const next = layer('max(x, 0) / std_hwg(x)')
  const { summary } = await ask('transfers.promote', { layer: next, config: segmentationConfig() })
  assert.equal((await ended(summary.promotion.id)).summary.promotion.state, 'done')
  const list = await ask('transfers.list', {})
  assert.deepEqual(
    unreadableOf(list).map(({ unreadable: { id, name } }) => [id, name]),
    [[broken, 'tanh(x) / std_hwg(x)']],
  )
  assert.equal(readable(list).length, 2)
  const { runs } = await ask('transfers.get', { id: done })
  const lost = runs.map(({ run }) => run).filter(({ result }) => result === null)
  assert.equal(lost.length, 1)
  assert.ok(lost.every(({ failure }) => /^cannot be read: result: outcome: /.test(failure?.cause ?? '')))
})

test('scores that can’t be read are missing in the lineage, and the candidate says why', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  for (const number of [2, 3]) {
    add(db, key, number, number === 2 ? 'tanh(x)' : 'x * sigmoid(x)')
    settle(db, key, number, scored([0.5, 0.6, 0.7]), number)
  }
  db.run(`UPDATE candidates SET scores = '["good"]' WHERE search = ? AND number = 2`, key)
  const [a, b] = lineage(db, key).slice(2)
  assert.equal(a!.scores, null)
  assert.deepEqual(b!.scores, [0.5, 0.6, 0.7])
  assert.throws(() => candidateDetail(db, key, 2), /scores: 0: needs a number, got "good"/)
})
