import assert from 'node:assert/strict'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { EXPORTS } from '../../shared/export/index.ts'
import { knownLayer } from '../../shared/known.ts'
import type { TransferDetail, TransferSummary } from '../../shared/transfer/contract.ts'
import { cli } from './cli.ts'
import { dataFolder, until } from './stand-in-app.ts'

const SHORT =
  '--set training.steps=60 --set evaluateEvery=20 --set checkpointEvery=10 --set seeds=2 --set baselines=["BN-ReLU"]'.split(
    ' ',
  )
const transfer = (layer: string, task: string, ...rest: string[]): string[] => [
  'transfer',
  '--layer',
  layer,
  '--task',
  task,
  '--data',
  'shapes',
  ...SHORT,
  ...rest,
]

describe('transfer from the command line', { concurrency: 3 }, () => {
  test('it ends with the comparison, says what was scaled down, and is listed', async () => {
    const where = ['--data-folder', dataFolder()]
    const made = await cli(transfer('evonorm-b0', 'segmentation', ...where))
    assert.equal(made.code, 0, made.err)
    assert.match(made.out, /^EvoNorm-B0 in instance segmentation \([0-9a-f]{10}\): done\n/)
    assert.match(made.out, /\n +EvoNorm-B0 +BN-ReLU\n +Mask AP, % +\d+\.\d ± \d+\.\d +\d+\.\d ± \d+\.\d\n/)
    assert.match(
      made.out,
      /Mask AP against BN-ReLU: [+−]\d+\.\d \[[+−]\d+\.\d, [+−]\d+\.\d\], (better|worse|within noise) \(p [\d.< ]+ of 2 seeds\)/,
    )
    assert.match(
      made.out,
      /over 2 seeds\. Scaled down against the paper:\n  Data: Shapes scenes; in the paper COCO/,
    )
    assert.match(made.err, /0 of 4 runs \|/)

    const again = await cli(transfer('EvoNorm-B0', 'segmentation', '--json', ...where))
    const detail = JSON.parse(again.out) as TransferDetail
    const { id } = detail.summary.promotion
    assert.ok(made.out.includes(id), 'the same promotion')
    assert.deepEqual(
      detail.runs.map(({ run, label }) => `${label} ${run.seed} ${run.state}`),
      ['EvoNorm-B0 1 done', 'BN-ReLU 1 done', 'EvoNorm-B0 2 done', 'BN-ReLU 2 done'],
    )

    const listed = JSON.parse((await cli(['transfers', '--json', ...where])).out) as TransferSummary[]
    assert.deepEqual(
      listed.map(({ promotion }) => promotion.id),
      [id],
    )
    assert.match(
      (await cli(['transfers', ...where])).out,
      new RegExp(`${id}  EvoNorm-B0  Instance segmentation .* 4 of 4  done`),
    )
    assert.equal((await cli(['transfers', id.slice(0, 5), ...where])).out, made.out)
  })

  test('Ctrl-C pauses it, and the same command goes on from the checkpoints', async () => {
    const folder = dataFolder()
    const args = transfer('EvoNorm-S0', 'synthesis', '--workers', '1', '--data-folder', folder)
    const log = path.join(folder, 'log')
    const lines = (): string[][] =>
      readFileSync(log, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(' '))
    writeFileSync(log, '')
    const env = { NORMFORGE_STANDIN_MS: '3000', NORMFORGE_STANDIN_LOG: log }
    const checkpoint = (): boolean => globSync(path.join(folder, 'transfer/*/checkpoint.bin')).length > 0
    const paused = await cli(args, env, async (kill) => {
      await until('a checkpoint', checkpoint)
      kill('SIGINT')
    })
    assert.equal(paused.code, 130)
    assert.match(paused.err, /To go on: the same command again\n$/)
    assert.match(paused.out, /: paused\n/)
    const done = await cli(args, { NORMFORGE_STANDIN_LOG: log })
    assert.equal(done.code, 0, done.err)
    assert.match(done.out, /BN-ReLU +\(real images\)\n +FID +\d+\.\d\d ± .* \(5\.00\)\n/)
    assert.equal(lines().filter(([, , what]) => what === 'to').length, 4)
    assert.ok(lines().some(([, , what, step]) => what === 'from' && Number(step) > 0))
  })

  test('a layer that a search found is named by the search and its number', async () => {
    const where = ['--data-folder', dataFolder()]
    const search = await cli([
      'search',
      '--data',
      'shapes',
      ...'--set evolution.maxSeconds=0 --set evolution.maxTrained=1 --set evolution.rerank.count=0'.split(
        ' ',
      ),
      '--json',
      ...where,
    ])
    const { id } = (JSON.parse(search.out) as { search: { id: string } }).search
    const { out, err, code } = await cli(transfer(`${id.slice(0, 6)}:0`, 'segmentation', '--json', ...where))
    assert.equal(code, 0, err)
    const { layer } = (JSON.parse(out) as TransferDetail).summary.promotion
    assert.deepEqual(layer.from, { kind: 'candidate', search: id, number: 0 })
    assert.equal(layer.label, 'BN-ReLU')
    const verify = [
      'verify',
      `${id.slice(0, 6)}:0`,
      '--steps',
      '40',
      '--set',
      'baselines=["GN-ReLU"]',
      ...where,
    ]
    const verified = await cli(verify)
    assert.equal(verified.code, 0, verified.err)
    assert.match(verified.out, /^BN-ReLU in verification \([0-9a-f]{10}\): done\n/)
    assert.match(verified.out, /\n  MobileNetV2 against GN-ReLU: .* of 3 seeds\)\n/)
    assert.match(verified.out, /3 seeds/)
    const other = await cli(['verify', 'BN-ReLU', ...where])
    assert.deepEqual([other.code, /needs a layer of a search/.test(other.err)], [1, true])
    const text = await cli(['export', '--layer', `${id}:0`, '--target', 'json', ...where])
    assert.equal(text.out, EXPORTS.json.generate(layer.graph, 'BN-ReLU'))
  })

  test('export writes a layer on stdout or into a file, under the name it is given', async () => {
    const { graph } = knownLayer('EvoNorm-S0')
    const stdout = await cli(['export', '--layer', 'evonorm-s0', '--target', 'pytorch'])
    assert.equal(stdout.out, EXPORTS.pytorch.generate(graph, 'EvoNorm-S0'))
    const file = path.join(dataFolder(), 'layer.tex')
    const written = await cli([
      'export',
      '--layer',
      'EvoNorm-S0',
      '--target',
      'latex',
      '--name',
      'Mine',
      '--out',
      file,
    ])
    assert.deepEqual([written.code, written.out], [0, ''])
    assert.equal(readFileSync(file, 'utf8'), EXPORTS.latex.generate(graph, 'Mine'))
  })

  test("the user's errors end with code 1 and one line that says what is needed", async () => {
    const folder = dataFolder()
    const empty = path.join(folder, 'empty')
    mkdirSync(empty)
    const b0 = ['transfer', '--layer', 'EvoNorm-B0', '--data-folder', folder, '--task']
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[...b0, 'detection'], /Allowed choices are segmentation, synthesis/],
      [
        [...b0, 'segmentation', '--preset', 'paper'],
        /--data: this preset needs the path of a folder \(COCO\), got none/,
      ],
      [
        [...b0, 'segmentation', '--data', empty],
        /needs annotations\/instances_<split>\.json beside <split>\/, has none/,
      ],
      [
        [...b0, 'synthesis', '--data', empty],
        /needs CIFAR-10's data_batch_\*\.bin or a folder of images a class/,
      ],
      [
        [...b0, 'segmentation', '--set', 'network.widht=1'],
        /no setting "network\.widht"; the nearest is "network\.width"/,
      ],
      [[...b0, 'segmentation', '--set', 'seeds=0'], /--set seeds: needs >=1, got 0/],
      [[...b0, 'segmentation', '--set', 'baselines=["XN"]'], /baselines: .* got "XN"/],
      [
        ['transfer', '--task', 'synthesis', '--layer', 'abc:1', '--data-folder', folder],
        /there is no search "abc"/,
      ],
      [['transfers', 'abc', '--data-folder', folder], /there is no transfer "abc"/],
      [['export', '--layer', 'EvoNorm-B0', '--target', 'caffe'], /Allowed choices are pytorch, /],
    ]
    const results = await Promise.all(cases.map(([args]) => cli(args)))
    for (const [i, { code, out, err }] of results.entries()) {
      const [args, message] = cases[i]!
      assert.deepEqual([code, out], [1, ''], `${args.join(' ')}: ${err}`)
      assert.match(err, message)
      assert.ok(!err.includes('    at '), 'no trace')
    }
  })
})
