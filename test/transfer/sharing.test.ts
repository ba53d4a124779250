import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { addPromotion } from '../../main/store/promotions.ts'
import { finishRun, getRun, runGraph } from '../../main/store/runs.ts'
import { openStore } from '../../main/store/store.ts'
import { forecastLine, predictTransfer, type InLine } from '../../main/transfer/estimate.ts'
import { transferFolders } from '../../main/transfer/folders.ts'
import { lineUp, resolveLayer, runsOfPlan } from '../../main/transfer/layers.ts'
import { Queue } from '../../main/transfer/queue.ts'
import { share } from '../../main/transfer/share.ts'
import type { Pool } from '../../main/workers/pool.ts'
import { parseFormula } from '../../shared/formula.ts'
import { protocolOf, roughSecondsOf, type RunState, type TransferConfig } from '../../shared/transfer.ts'
import { readable } from '../../shared/records/unreadable.ts'
import { waitingText } from '../../shared/transfer/waiting.ts'
import { dataFolder, shortSearch, until } from '../main/stand-in-app.ts'
import { transferAnswer } from '../workers/stand-in-transfer.ts'
import { openApp, segmentationConfig, synthesisConfig } from './harness.ts'

const mine = { graph: parseFormula('x * sigmoid(x)', true), label: 'mine' }

test('a run a worker; half of them while a search is at work; one on a GPU', () => {
  const cases: readonly (readonly [workers: number, searching: boolean, gpu: boolean, runs: number])[] = [
    [4, false, false, 4],
    [4, true, false, 2],
    [3, true, false, 1],
    [1, false, false, 1],
    [1, true, false, 0],
    [4, false, true, 1],
    [4, true, true, 1],
    [1, true, true, 0],
  ]
  for (const [workers, searching, gpu, runs] of cases)
    assert.equal(share({ workers, searching, gpu }), runs, JSON.stringify({ workers, searching, gpu }))
})

test('a promotion is predicted from runs seen here, else by a rule of thumb', () => {
  const config = segmentationConfig()
  const rough = predictTransfer(config, 6, 2, new Map())
  assert.equal(rough.measured, false)
  assert.ok(rough.seconds.low < 3 * roughSecondsOf(config) && 3 * roughSecondsOf(config) < rough.seconds.high)
  // 60 steps of half a second, six runs on two workers: 90 s; on four: two rounds, 60 s.
  const paces = new Map([[protocolOf(config), 0.5]])
  assert.deepEqual(predictTransfer(config, 6, 2, paces), { seconds: { low: 72, high: 117 }, measured: true })
  assert.deepEqual(predictTransfer(config, 6, 4, paces), { seconds: { low: 48, high: 78 }, measured: true })
})

test('what is in line before a promotion is part of its time, what they share only once', () => {
  const config = segmentationConfig()
  const entry = (id: string, config: TransferConfig, runs: [string, RunState, number][]): InLine => ({
    promotion: { id, config } as InLine['promotion'],
    runs: runs.map(([key, state, step]) => ({ key, state, step, steps: 60 }) as InLine['runs'][number]),
  })
  const line = [
    entry('first', config, [
      ['a', 'done', 60],
      ['b', 'running', 20],
      ['c', 'queued', 0],
    ]),
    entry('second', config, [
      ['c', 'queued', 0],
      ['d', 'queued', 0],
    ]),
  ]
  const etas = forecastLine(line, 2, new Map([[protocolOf(config), 1]]))
  // 40 + 60 steps of a second on two workers, but one run takes 60; then 160 on two.
  assert.deepEqual(etas.get('first'), { seconds: { low: 48, high: 78 }, measured: true })
  assert.deepEqual(etas.get('second'), { seconds: { low: 64, high: 104 }, measured: true })
})

const OF_ONE = { seeds: 1, baselines: [] }

describe('sharing', { concurrency: 2 }, () => {
  test('a search that starts gets its half of the workers at once, and both end', async (t) => {
    const { ask, ended, log } = openApp(t, { milliseconds: 1500 })
    const { summary } = await ask('transfers.promote', {
      layer: mine,
      config: segmentationConfig({ seeds: 1 }),
    })
    const { id } = summary.promotion
    const at = async (): Promise<[transfers: number, candidates: number]> => {
      const workers = await ask('workers.list', {})
      return [
        workers.filter(({ transfer }) => transfer !== null).length,
        workers.filter(({ candidate }) => candidate !== null).length,
      ]
    }
    await until('two runs', async () => (await at())[0] === 2 && log().length === 2)
    const search = await ask('searches.create', { name: '', config: shortSearch({ maxTrained: 2 }) })
    await until('both at work', async () => (await at()).join() === '1,1')
    assert.equal((await ask('searches.stop', { id: search.search.id })).search.state, 'stopped')
    const { runs } = await ended(id)
    assert.ok(runs.every(({ run }) => run.state === 'done'))
  })

  test('on one worker transfers wait for a search, and say for which; the next says its place in line', async (t) => {
    const { ask, ended } = openApp(t, { workers: 1, milliseconds: 300 })
    const search = await ask('searches.create', { name: 'nightly', config: shortSearch({ maxTrained: 100 }) })
    const ids: string[] = []
    for (const config of [segmentationConfig(OF_ONE), synthesisConfig(OF_ONE)])
      ids.push((await ask('transfers.promote', { layer: mine, config })).summary.promotion.id)
    const said = async () =>
      readable(await ask('transfers.list', {}))
        .toReversed()
        .map(({ waiting }) => waiting && waitingText(waiting))
    assert.deepEqual(await said(), ['waits for search “nightly”', '2nd in line'])
    await ask('searches.pause', { id: search.search.id })
    assert.deepEqual(await said(), [null, '2nd in line'])
    for (const id of ids) await ended(id)
    assert.deepEqual(await said(), [null, null])
  })

  test('places in line are ordinals', () => {
    const said = [2, 3, 4, 11, 12, 13, 21, 22, 111].map((place) => waitingText({ for: 'line', place }))
    assert.deepEqual(
      said.map((text) => text.split(' ')[0]),
      ['2nd', '3rd', '4th', '11th', '12th', '13th', '21st', '22nd', '111th'],
    )
  })

  test('one program at a time does what is in line; the next one goes on when it ends', async (t) => {
    const first = openApp(t, { milliseconds: 4000 })
    const config = segmentationConfig({ seeds: 1 })
    const started = await first.ask('transfers.promote', { layer: mine, config })
    await until('checkpoints', () => first.log().length === 2)
    const second = openApp(t, { folder: first.folder })
    const other = synthesisConfig({ seeds: 1, baselines: [] })
    const { summary } = await second.ask('transfers.promote', { layer: mine, config: other })
    assert.deepEqual(summary.waiting, { for: 'line', place: 2 })
    await new Promise((resolve) => setTimeout(resolve, 1500))
    assert.ok((await second.ask('workers.list', {})).every(({ state }) => state === 'idle'))
    await first.close()
    for (const id of [started.summary.promotion.id, summary.promotion.id]) {
      const { runs } = await second.ended(id)
      assert.ok(runs.every(({ run }) => run.state === 'done'))
    }
    assert.ok(second.log().some(([, , what, step]) => what === 'from' && Number(step) > 0))
  })
  test('what another program finished while this one waited for its turn is not begun again', async (t) => {
    const folder = dataFolder()
    const [db, elsewhere] = [openStore(folder), openStore(folder)]
    const config = segmentationConfig({ seeds: 1, baselines: ['BN-ReLU'] })
    const layer = resolveLayer(db, mine)
    const runs = runsOfPlan(lineUp(layer, config), config)
    addPromotion(db, { layer, config, made: {}, runs })
    const [first, second] = runs.map(({ key }) => key)
    const write = db.write.bind(db)
    db.write = (action) => {
      // The other one writes first, once, as when this one waits for the store.
      db.write = write
      const { seed } = getRun(elsewhere, first!)!
      finishRun(elsewhere, first!, transferAnswer({ graph: runGraph(elsewhere, first!), config, seed }))
      return write(action)
    }
    const begun: string[] = []
    const pool: Pick<Pool, 'transfer'> = {
      transfer: ({ key, signal }) => {
        begun.push(key)
        return new Promise((resolve) =>
          signal.addEventListener('abort', () => resolve({ kind: 'cancelled' })),
        )
      },
    }
    const queue = new Queue({ db, pool, folders: transferFolders(folder), room: () => 2 })
    t.after(() => [db, elsewhere].forEach((store) => store.close()))
    queue.wake()
    await queue.close()
    assert.deepEqual(begun, [second])
  })
})
