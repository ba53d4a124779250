import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { canonical, fingerprint } from '../../shared/canonical.ts'
import { readable } from '../../shared/records/unreadable.ts'
import { parseFormula } from '../../shared/formula.ts'
import { knownLayer } from '../../shared/known.ts'
import type { Failure } from '../../shared/records.ts'
import { createTransfers } from '../../main/transfer/transfers.ts'
import { openStore } from '../../main/store/store.ts'
import type { TransferQuestion } from '../../main/workers/protocol.ts'
import type { DataReport } from '../../shared/data.ts'
import { collect, dataFolder, until } from '../main/stand-in-app.ts'
import { transferAnswer } from '../workers/stand-in-transfer.ts'
import { figures, openApp, segmentationConfig, synthesisConfig } from './harness.ts'

const graph = parseFormula('x * sigmoid(x + v0) / rms_hwg(x)', true)
const mine = { graph, label: 'mine' }
const foldersOf = (folder: string): string[] =>
  existsSync(join(folder, 'transfer')) ? readdirSync(join(folder, 'transfer')) : []

test('the files of a promotion are looked at once, by whoever it is asked', async (t) => {
  const folder = dataFolder()
  const db = openStore(folder)
  const asked: TransferQuestion[] = []
  const report: DataReport = {
    ...{ classes: [], unit: 'images', trainingImages: 1, validationImages: 1, rule: 'made up' },
    ...{ splits: [], question: null, notes: [] },
  }
  const transfers = createTransfers({
    db,
    dataFolder: folder,
    searches: () => [],
    made: () => ({}),
    pool: {
      count: 1,
      facts: () => ({}),
      transfer: ({ signal }) =>
        new Promise((resolve) => signal.addEventListener('abort', () => resolve({ kind: 'cancelled' }))),
      checkTransfer: async (question) => {
        asked.push(question)
        return { ...report, question: asked.length === 2 ? 'which part?' : null }
      },
    },
  })
  t.after(async () => {
    await transfers.close()
    db.close()
  })
  const { network } = segmentationConfig()
  const config = segmentationConfig({ network: { ...network, backbone: '/a backbone' } })
  await transfers.promote(mine, config)
  assert.deepEqual(
    asked.map(({ layers }) => layers.map(({ label }) => label)),
    [['mine', ...config.baselines]],
  )
  await assert.rejects(transfers.promote(mine, { ...config, seed: 7 }), {
    code: 'invalid',
    message: 'which part?',
  })
  const told: unknown[] = []
  await transfers.promote(mine, { ...config, seed: 8 }, async (inspected) => told.push(await inspected))
  assert.deepEqual([asked.length, told], [3, [report]])
})

describe('transfers', { concurrency: 3 }, () => {
  test('a promoted layer is trained beside its baselines, and what is told is what the runs came to', async (t) => {
    const { ask, api, ended, log } = openApp(t)
    const { events, listener } = collect()
    t.after(api.subscribe(0, listener))
    for (const config of [segmentationConfig(), synthesisConfig()]) {
      const { summary, existing } = await ask('transfers.promote', { layer: mine, config })
      assert.equal(existing, false)
      const { id, layer, state } = summary.promotion
      assert.ok(['queued', 'running'].includes(state))
      assert.deepEqual([layer.label, layer.fingerprint], ['mine', fingerprint(graph)])
      assert.ok(summary.eta && summary.eta.seconds.low > 0 && !summary.eta.measured)

      const detail = await ended(id)
      assert.equal(detail.summary.promotion.state, 'done')
      assert.equal(detail.summary.progress, 1)
      assert.equal(detail.summary.eta, null)
      assert.deepEqual(
        detail.runs.map(({ run, label }) => `${run.seed} ${label}`),
        ['1 mine', '1 BN-ReLU', '1 EvoNorm-S0', '2 mine', '2 BN-ReLU', '2 EvoNorm-S0'],
      )
      const graphs = {
        mine: graph,
        'BN-ReLU': knownLayer('BN-ReLU').graph,
        'EvoNorm-S0': knownLayer('EvoNorm-S0').graph,
      }
      for (const { run, label, curve, pictures } of detail.runs) {
        const answer = transferAnswer({
          graph: canonical(graphs[label as keyof typeof graphs]),
          config,
          seed: run.seed,
        })
        assert.deepEqual({ ...run.result, curve }, answer)
        assert.deepEqual([run.state, run.step], ['done', 60])
        const name = config.task === 'synthesis' ? 'sample' : 'overlay'
        assert.deepEqual(pictures, [`${name}-20.png`, `${name}-40.png`, `${name}-60.png`])
        const { base64 } = await ask('transfers.picture', { run: run.key, name: pictures[0]! })
        assert.match(Buffer.from(base64, 'base64').toString('latin1', 0, 8), /^\x89PNG\r\n/)
      }
      const [row] = detail.summary.comparison
      assert.deepEqual(row!.runs, { finished: 2, diverged: 0, collapsed: 0, failed: 0, left: 0 })
      await until('the last event', () => {
        const last = events.findLast((event) => event.kind === 'transfer')
        return last?.kind === 'transfer' && last.promotion === id
      })
    }
    assert.equal(log().filter(([, , what]) => what === 'to').length, 12, 'each run was done once')
    assert.equal((await ask('transfers.list', {})).length, 2)
  })

  test('a finished run is used again by whoever asks for it under the same protocol', async (t) => {
    const { ask, ended, log } = openApp(t)
    const config = segmentationConfig()
    const first = await ask('transfers.promote', { layer: mine, config })
    await ended(first.summary.promotion.id)
    const other = { graph: parseFormula('x * tanh(x)', true), label: 'other' }
    const second = await ask('transfers.promote', { layer: other, config })
    assert.equal(second.summary.reused, 4)
    assert.equal(second.summary.eta!.measured, true)
    await ended(second.summary.promotion.id)
    assert.equal(log().filter(([, , what]) => what === 'from').length, 8)

    // Another preset's name, other checkpoints: the same comparison. Another number of steps: another one.
    const again = { ...config, preset: 'overnight', checkpointEvery: 30 } as const
    assert.deepEqual(
      [await ask('transfers.promote', { layer: mine, config: again })].map(({ summary, existing }) => [
        summary.promotion.id,
        existing,
      ]),
      [[first.summary.promotion.id, true]],
    )
    const longer = { ...config, training: { ...config.training, steps: 70 } }
    const third = await ask('transfers.promote', { layer: mine, config: longer })
    assert.deepEqual([third.existing, third.summary.reused], [false, 0])
    // One seed more: what there is, and three runs.
    await ended(third.summary.promotion.id)
    const seeds = await ask('transfers.promote', { layer: mine, config: { ...config, seeds: 3 } })
    assert.equal(seeds.summary.reused, 6)
    assert.equal((await ended(seeds.summary.promotion.id)).runs.length, 9)
  })

  test('a known layer that is promoted is not its own baseline', async (t) => {
    const { ask, ended } = openApp(t)
    const config = segmentationConfig({ seeds: 1 })
    const { summary } = await ask('transfers.promote', { layer: { known: 'evonorm-s0' }, config })
    const { runs } = await ended(summary.promotion.id)
    assert.deepEqual(
      runs.map(({ label, role }) => `${label} ${role}`),
      ['EvoNorm-S0 layer', 'BN-ReLU baseline'],
    )
  })

  test('runs start layer by layer, seed by seed, promotion by promotion', async (t) => {
    const { ask, ended, log } = openApp(t, { workers: 1 })
    const config = segmentationConfig({ baselines: ['BN-ReLU'] })
    const ids: string[] = []
    for (const [i, formula] of ['x * tanh(x)', 'tanh(x)', 'sigmoid(x)'].entries()) {
      const layer = { graph: parseFormula(formula, true), label: `l${i}` }
      const { summary } = await ask('transfers.promote', { layer, config })
      assert.deepEqual(summary.waiting, i === 0 ? null : { for: 'line', place: i + 1 })
      ids.push(summary.promotion.id)
    }
    for (const id of ids) await ended(id)
    const names = new Map(
      readable(await ask('transfers.list', {})).flatMap(({ comparison }) =>
        comparison.map((row) => [row.fingerprint, row.label] as const),
      ),
    )
    assert.deepEqual(
      log()
        .filter(([, , what]) => what === 'from')
        .map(([print, seed]) => `${names.get(print!)} ${seed}`),
      ['l0 1', 'BN-ReLU 1', 'l0 2', 'BN-ReLU 2', 'l1 1', 'l1 2', 'l2 1', 'l2 2'],
    )
  })

  test('undo leaves nothing behind, whether runs wait, are under way or are done', async (t) => {
    const { ask, refusal, folder, log } = openApp(t, { milliseconds: 600 })
    const { summary } = await ask('transfers.promote', { layer: mine, config: segmentationConfig() })
    const { id } = summary.promotion
    await until('a finished run', () => log().some(([, , what]) => what === 'to'))
    assert.ok(foldersOf(folder).length >= 2)
    await ask('transfers.undo', { id })
    assert.deepEqual(await ask('transfers.list', {}), [])
    assert.equal(await refusal('transfers.get', { id }), `missing: there is no promotion "${id}"`)
    await until('the folders to go', () => foldersOf(folder).length === 0)
    // Promoted anew, it begins anew.
    const before = log().length
    const again = await ask('transfers.promote', { layer: mine, config: segmentationConfig() })
    assert.equal(again.summary.reused, 0)
    await until('a run', () => log().length > before)
    assert.equal(log()[before]![3], '0')
  })

  test('undo of one promotion leaves the runs that another one asks for', async (t) => {
    const { ask, ended, log } = openApp(t, { milliseconds: 300 })
    const config = segmentationConfig({ seeds: 1 })
    const first = await ask('transfers.promote', { layer: mine, config })
    const second = await ask('transfers.promote', { layer: { known: 'EvoNorm-B0' }, config })
    await until('two runs', () => log().length >= 2)
    await ask('transfers.undo', { id: first.summary.promotion.id })
    const { runs } = await ended(second.summary.promotion.id)
    assert.deepEqual(
      runs.map(({ run }) => run.state),
      ['done', 'done', 'done'],
    )
    const twice = log().filter(([print, , what]) => what === 'to' && print === runs[1]!.run.fingerprint)
    assert.equal(twice.length, 1)
  })

  test('a cancelled promotion keeps what is finished; resumed, it does the rest', async (t) => {
    const { ask, refusal, ended, folder, log } = openApp(t, { milliseconds: 300, workers: 1 })
    const { summary } = await ask('transfers.promote', { layer: mine, config: segmentationConfig() })
    const { id } = summary.promotion
    await until('a finished run', async () => (await ask('transfers.get', { id })).summary.runs.done >= 1)
    const cancelled = await ask('transfers.cancel', { id })
    assert.equal(cancelled.promotion.state, 'cancelled')
    assert.equal(cancelled.eta, null)
    const { done } = cancelled.runs
    await until('the other folders to go', () => foldersOf(folder).length === done)
    assert.match(
      await refusal('transfers.cancel', { id }),
      /^conflict: .* is cancelled: there is nothing to cancel$/,
    )
    const lines = log().length
    await new Promise((resolve) => setTimeout(resolve, 400))
    assert.equal(log().length, lines, 'nothing goes on')
    await ask('transfers.resume', { id })
    const { runs } = await ended(id)
    assert.ok(runs.every(({ run }) => run.state === 'done'))
    assert.equal(log().filter(([, , what]) => what === 'to').length, 6)
  })

  test('a paused promotion goes on from its checkpoints and ends at the same figures', async (t) => {
    const { ask, ended, log } = openApp(t, { milliseconds: 500 })
    const config = segmentationConfig({ seeds: 1 })
    const { summary } = await ask('transfers.promote', { layer: mine, config })
    const { id } = summary.promotion
    await until('a point', async () =>
      (await ask('transfers.get', { id })).runs.some(({ curve }) => curve.length > 0),
    )
    const paused = await ask('transfers.pause', { id })
    assert.equal(paused.promotion.state, 'paused')
    await until(
      'the runs to end',
      async () => (await ask('transfers.get', { id })).summary.runs.running === 0,
    )
    const { runs: left } = await ask('transfers.get', { id })
    assert.ok(left.some(({ run }) => run.step > 0 && run.state === 'queued'))
    await ask('transfers.resume', { id })
    const paths = await ended(id)
    assert.ok(log().some(([, , what, step]) => what === 'from' && Number(step) > 0))

    const other = openApp(t)
    const undisturbed = await other.ask('transfers.promote', { layer: mine, config })
    assert.deepEqual(figures(paths), figures(await other.ended(undisturbed.summary.promotion.id)))
  })

  test('what was in line goes on when the program starts again', async (t) => {
    const first = openApp(t, { milliseconds: 400 })
    const config = segmentationConfig({ seeds: 1 })
    const { summary } = await first.ask('transfers.promote', { layer: mine, config })
    await until('a run', () => first.log().length > 0)
    await first.close()
    const second = openApp(t, { folder: first.folder })
    const detail = await second.ended(summary.promotion.id)
    assert.equal(detail.summary.promotion.state, 'done')
    assert.ok(detail.runs.every(({ run }) => run.result?.outcome === 'finished'))
  })

  test('a run whose worker is lost twice fails alone, and is tried again when asked', async (t) => {
    const print = fingerprint(knownLayer('BN-ReLU').graph)
    const { ask, ended, retell } = openApp(t, { faults: { [print]: 'crash' } })
    const { summary } = await ask('transfers.promote', { layer: mine, config: segmentationConfig() })
    const { id } = summary.promotion
    const failed = await ended(id)
    assert.equal(failed.summary.promotion.state, 'failed')
    assert.match(failed.summary.promotion.failure!, /^2 of 6 runs failed: killed by the system/)
    const failures = failed.runs.flatMap(({ run }): Failure[] => (run.failure ? [run.failure] : []))
    assert.deepEqual(
      failures.map(({ attempts }) => attempts),
      [2, 2],
    )
    const row = failed.summary.comparison.find(({ label }) => label === 'BN-ReLU')!
    assert.deepEqual([row.runs.failed, row.measures, row.against], [2, {}, {}])
    retell({})
    await ask('transfers.resume', { id })
    assert.equal((await ended(id)).summary.promotion.state, 'done')
  })

  test("what is not the layer's fault ends the promotion with one sentence, and no other", async (t) => {
    const { ask, ended } = openApp(t, { faults: { '#1': 'environment' }, workers: 1 })
    const first = await ask('transfers.promote', { layer: mine, config: segmentationConfig() })
    const second = await ask('transfers.promote', { layer: mine, config: synthesisConfig() })
    const { promotion } = (await ended(first.summary.promotion.id)).summary
    assert.deepEqual([promotion.state, promotion.failure], ['failed', 'stand-in: the data were taken away'])
    assert.equal((await ended(second.summary.promotion.id)).summary.promotion.state, 'done')
  })

  test('a worker that cannot start is told once', async (t) => {
    const { ask, ended } = openApp(t, { faults: { start: 'throw' } })
    const { summary } = await ask('transfers.promote', { layer: mine, config: segmentationConfig() })
    const { promotion } = (await ended(summary.promotion.id)).summary
    assert.equal(promotion.state, 'failed')
    assert.match(promotion.failure!, /can't start: stand-in: was told to throw/)
  })

  test('files that a transfer names are a worker’s to open, and a pipe is no picture', async (t) => {
    const { ask, refusal, folder } = openApp(t)
    const pipe = join(folder, 'pipe.bin')
    execFileSync('mkfifo', [pipe])
    const config = segmentationConfig({ seeds: 1 })
    const network = { ...config.network, backbone: pipe }
    // The stand-in opens nothing: the program itself would wait here for ever.
    const promoted = await ask('transfers.promote', { layer: mine, config: { ...config, network } })
    assert.equal(promoted.existing, false)
    const run = `${'a'.repeat(32)}-${'b'.repeat(32)}-1`
    mkdirSync(join(folder, 'transfer', run), { recursive: true })
    execFileSync('mkfifo', [join(folder, 'transfer', run, 'a-1.png')])
    assert.match(
      await refusal('transfers.picture', { run, name: 'a-1.png' }),
      /^invalid: picture: .*a-1\.png: needed a file, got a pipe$/,
    )
  })

  test('what can not be done is refused with a reason', async (t) => {
    const { ask, refusal } = openApp(t)
    const config = segmentationConfig()
    assert.equal(
      await refusal('transfers.promote', { layer: { search: 'none', number: 1 }, config }),
      'missing: there is no search "none"',
    )
    assert.match(
      await refusal('transfers.promote', { layer: { known: 'XN' }, config }),
      /^missing: .* got "XN"$/,
    )
    const broken = { ...graph, nodes: [{ op: 'add' as const, inputs: [0, 9] }] }
    assert.match(
      await refusal('transfers.promote', { layer: { graph: broken, label: '' }, config }),
      /^invalid: layer: /,
    )
    assert.match(
      await refusal('transfers.promote', { layer: mine, config: { ...config, baselines: ['XN'] } }),
      /^invalid: baselines: .* got "XN"$/,
    )
    assert.match(await refusal('transfers.pause', { id: 'none' }), /^missing: /)
    const run = `${'a'.repeat(32)}-${'b'.repeat(32)}-1`
    for (const name of ['../../log', '..', 'a/b.png', 'overlay-1.PNG', 'checkpoint-1.bin'])
      assert.match(await refusal('transfers.picture', { run, name }), /^invalid: /)
    assert.match(await refusal('transfers.picture', { run: '../x', name: 'a-1.png' }), /^invalid: /)
    assert.match(await refusal('transfers.picture', { run, name: 'a-1.png' }), /^missing: /)
    assert.deepEqual(await ask('transfers.list', {}), [])
  })
})
