/** What the page makes of promotions: figures as text, curves, pictures by name, what one press asks for. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reproduceCommand } from '../../renderer/transfer/command.ts'
import {
  bestOf,
  headline,
  runsText,
  sampleText,
  signed,
  tablesOf,
  type Column,
} from '../../renderer/transfer/comparison.ts'
import { curveRows, layerCurves, seriesOf, transferChart, withReal } from '../../renderer/transfer/curves.ts'
import { pictureAt, pictureOf, stepsOf } from '../../renderer/transfer/pictures.ts'
import { pictureStore } from '../../renderer/transfer/picture-store.ts'
import {
  configOf,
  configsOf,
  FIRST_PROTOCOL,
  problemOf,
  readProtocol,
  type Protocol,
} from '../../renderer/transfer/protocol.ts'
import { together } from '../../renderer/transfer/words.ts'
import { compare } from '../../shared/comparison.ts'
import { knownLayer } from '../../shared/known.ts'
import {
  TRANSFER_TASKS,
  transferConfigSchema,
  transferPreset,
  type StoredRun,
  type TransferPoint,
} from '../../shared/transfer.ts'

const { fid } = TRANSFER_TASKS.synthesis.measures
const { maskAp } = TRANSFER_TASKS.segmentation.measures
const FID: Column = { name: 'fid', label: 'FID', measure: fid! }

const finished = (fingerprint: string, seed: number, measures: Record<string, number>): StoredRun => ({
  key: `p-${fingerprint}-${seed}`,
  protocol: 'p',
  fingerprint,
  seed,
  state: 'done',
  step: 10,
  steps: 10,
  result: { outcome: 'finished', step: 10, reason: null, measures, parameters: 5, seconds: 1 },
  failure: null,
  seconds: 1,
})
const LAYERS = [
  { fingerprint: 'a', label: '#7', role: 'layer' },
  { fingerprint: 'b', label: 'BN-ReLU', role: 'baseline' },
  { fingerprint: 'c', label: 'EvoNorm-S0', role: 'baseline' },
] as const
const fids = (values: Record<string, readonly number[]>): StoredRun[] =>
  Object.entries(values).flatMap(([print, all]) =>
    all.map((value, i) => finished(print, i + 1, { fid: value })),
  )

test('fractions read in percent and points as they are, with a spread where there is one', () => {
  const none = { interval: null, values: [], seeds: [] }
  assert.equal(sampleText({ ...none, mean: 0.4123, spread: 0.0078 }, maskAp!), '41.2 ± 0.8')
  assert.equal(sampleText({ ...none, mean: 0.4123, spread: null }, maskAp!), '41.2')
  assert.equal(sampleText({ ...none, mean: 31.416, spread: 1.2 }, fid!), '31.42 ± 1.20')
  assert.equal(signed(-0.0123, maskAp!), '−1.2')
  assert.equal(signed(0.0002, maskAp!), '±0.0')
  assert.equal(signed(153.26, fid!), '+153.3')
})

test('boxes and masks are a table each, with COCO’s six columns', () => {
  const tables = tablesOf('segmentation')
  assert.deepEqual(
    tables.map(({ title, columns }) => [title, columns.map(({ label }) => label)]),
    [
      ['Mask', ['AP', 'AP₅₀', 'AP₇₅', 'AP small', 'AP medium', 'AP large']],
      ['Box', ['AP', 'AP₅₀', 'AP₇₅', 'AP small', 'AP medium', 'AP large']],
    ],
  )
  assert.equal(tablesOf('synthesis')[0]!.columns.length, 3)
})

test('the best of a column is the lowest FID, of several equal ones each, and nobody’s when there is one', () => {
  const rows = compare(LAYERS, fids({ a: [30, 32], b: [40, 44], c: [31, 31] }), { fid: fid! })
  assert.deepEqual([...bestOf(rows, FID)], ['a', 'c'])
  assert.deepEqual([...bestOf(rows.slice(0, 1), FID)], [])
})

test('the headline stands against the best baseline, and says noise when it is noise', () => {
  const rows = compare(LAYERS, fids({ a: [30, 32], b: [40, 44], c: [28, 31] }), { fid: fid! })
  const { value, against } = headline(rows, 'synthesis')!
  assert.equal(value, '31.00 ± 1.41')
  assert.deepEqual(against, { label: 'EvoNorm-S0', text: 'within noise of EvoNorm-S0', verdict: 'noise' })
  const clear = compare(LAYERS, fids({ a: [20, 21], b: [40, 44] }), { fid: fid! })
  assert.equal(headline(clear, 'synthesis')!.against!.text, '−21.50 to BN-ReLU')
  assert.equal(headline(compare(LAYERS, [], { fid: fid! }), 'synthesis'), null)
})

test('runs that diverged or failed are counted beside those that finished', () => {
  const [layer] = compare(
    LAYERS.slice(0, 1),
    [
      finished('a', 1, { fid: 3 }),
      { ...finished('a', 2, {}), result: { ...finished('a', 2, {}).result!, outcome: 'diverged' } },
      { ...finished('a', 3, {}), state: 'failed', result: null },
    ],
    { fid: fid! },
  )
  assert.equal(runsText(layer!), '1 of 3, 1 diverged, 1 failed')
})

const point = (step: number, value: number | null): TransferPoint => ({
  step,
  losses: { total: 1 / step },
  measures: value === null ? null : { maskAp: value },
})
const CURVED = [
  { run: finished('a', 1, {}), curve: [point(5, null), point(10, 0.2), point(20, 0.4)] },
  { run: finished('a', 2, {}), curve: [point(10, 0.4)] },
  { run: finished('b', 1, {}), curve: [point(10, 0.1), point(20, 0.3)] },
]

test('a layer’s curve is the mean of the seeds that have come so far, the seeds lie faint behind it', () => {
  const curves = layerCurves(LAYERS, CURVED, { of: 'measures', name: 'maskAp' })
  assert.deepEqual(
    curves.map(({ label, place }) => [label, place]),
    [
      ['#7', 0],
      ['BN-ReLU', 1],
    ],
  )
  const mean = curves[0]!.mean
  assert.deepEqual(
    mean.map(({ step }) => step),
    [10, 20],
  )
  assert.ok(Math.abs(mean[0]!.value! - 0.3) < 1e-12)
  assert.equal(mean[1]!.value, 0.4)
  assert.deepEqual(
    seriesOf(curves).map(({ curve, faint }) => [curve.label, faint]),
    [
      ['#7', true],
      ['#7', true],
      ['BN-ReLU', false],
      ['#7', false],
    ],
  )
  assert.deepEqual(curveRows(curves)[1], { step: 20, values: [0.4, 0.3] })
})

test('real images are a level line over the steps that were measured, and no line where they are not known', () => {
  const curves = layerCurves(LAYERS, CURVED, { of: 'measures', name: 'maskAp' })
  const all = withReal(curves, 0.9)
  assert.deepEqual(curveRows(all), [
    { step: 10, values: [curves[0]!.mean[0]!.value, 0.1, 0.9] },
    { step: 20, values: [0.4, 0.3, 0.9] },
  ])
  assert.ok(transferChart(all, { width: 460, height: 236 }, 40, true).domain[1] >= 0.9)
  assert.equal(withReal(curves, undefined), curves)
  assert.deepEqual(withReal([], 0.9), [])
})

test('the chart runs to the last step of the budget, fractions from zero', () => {
  const curves = layerCurves(LAYERS, CURVED, { of: 'measures', name: 'maskAp' })
  const chart = transferChart(curves, { width: 460, height: 236 }, 40, true)
  assert.equal(chart.domain[0], 0)
  assert.deepEqual(
    chart.curves.at(-1)!.dots.map(({ x }) => x),
    [146, 246], // 10 and 20 of 40 steps on a plot of 400 pixels from 46
  )
})

test('pictures are told apart by kind and step; a run that is behind shows its newest one', () => {
  assert.deepEqual(pictureOf('overlay-500.png'), { kind: 'overlay', step: 500, name: 'overlay-500.png' })
  assert.deepEqual(pictureOf('interpolation.png'), {
    kind: 'interpolation',
    step: null,
    name: 'interpolation.png',
  })
  const one = ['sample-0.png', 'sample-500.png', 'sample-1000.png', 'interpolation-1000.png']
  assert.deepEqual(stepsOf([one, ['sample-0.png', 'sample-1500.png']], 'sample'), [0, 500, 1000, 1500])
  assert.equal(pictureAt(one, 'sample', 700)!.name, 'sample-500.png')
  assert.equal(pictureAt(one, 'sample', 1500)!.step, 1000)
  assert.equal(pictureAt(one, 'sample', -1), null)
  assert.equal(pictureAt(one, 'interpolation', Infinity)!.step, 1000)
})

test('a picture is fetched once, and again after it could not be had', async () => {
  const asked: string[] = []
  let fails = true
  const picture = pictureStore(async (run, name) => {
    asked.push(`${run}/${name}`)
    if (fails) throw new Error('lost')
    return { base64: 'QQ==' }
  })
  await assert.rejects(picture('r', 'a.png'), /lost/)
  fails = false
  assert.equal(await picture('r', 'a.png'), 'data:image/png;base64,QQ==')
  await picture('r', 'a.png')
  assert.deepEqual(asked, ['r/a.png', 'r/a.png'])
})

test('every protocol that the form can make is a legal config', () => {
  for (const preset of ['demo', 'overnight', 'paper'] as const)
    for (const task of ['segmentation', 'synthesis'] as const)
      for (const kind of Object.keys(TRANSFER_TASKS[task].dataSets)) {
        const protocol: Protocol = {
          tasks: task,
          preset,
          data: { ...FIRST_PROTOCOL.data, [task]: { kind, path: '/data/x' } },
        }
        const config = configOf(protocol, task)
        assert.deepEqual(transferConfigSchema.parse(config), config)
        assert.equal(config.data.kind, kind)
        assert.equal(config.data.path, kind === 'shapes' ? undefined : '/data/x')
      }
})

test('the first protocol is both tasks by the demo preset; data without its folder is said', () => {
  assert.deepEqual(configsOf(FIRST_PROTOCOL), [
    transferPreset('segmentation', 'demo'),
    transferPreset('synthesis', 'demo'),
  ])
  assert.equal(problemOf(FIRST_PROTOCOL), null)
  assert.match(problemOf({ ...FIRST_PROTOCOL, preset: 'paper' })!, /COCO needs the folder/)
})

test('a kept protocol reads back, and what is not one is the first', () => {
  const protocol: Protocol = { ...FIRST_PROTOCOL, tasks: 'synthesis', preset: 'overnight' }
  assert.deepEqual(readProtocol(JSON.stringify(protocol)), protocol)
  for (const text of [null, '', '{', '{"tasks":"x"}']) assert.equal(readProtocol(text), FIRST_PROTOCOL)
  const gone = { ...protocol, data: { ...protocol.data, synthesis: { kind: 'imagenet', path: '' } } }
  assert.equal(readProtocol(JSON.stringify(gone)), FIRST_PROTOCOL)
})

test('several in line are done when the last is', () => {
  const eta = (high: number) => ({ eta: { seconds: { low: 1, high }, measured: true } })
  assert.equal(together([eta(5), eta(9), { eta: null }])!.seconds.high, 9)
  assert.equal(together([{ eta: null }]), null)
})

test('a run’s command names layer, task, data, seed and what differs from the preset', () => {
  const demo = TRANSFER_TASKS.segmentation.presets.demo.config
  const config = { ...demo, training: { ...demo.training, steps: 40 } }
  const layer = {
    graph: knownLayer('EvoNorm-B0').graph,
    fingerprint: 'f',
    label: '#7',
    from: { kind: 'candidate', search: 'ab12', number: 7 },
  } as const
  const command = (role: 'layer' | 'baseline', label: string) =>
    reproduceCommand({ layer, config }, { role, label, seed: 2 })
  const rest = '--task segmentation --preset demo --data shapes --seed 2'
  const settings = "--set training.steps=40 --set seeds=1 --set 'baselines=[]'"
  assert.equal(command('layer', '#7'), `npm run cli -- transfer --layer ab12:7 ${rest} ${settings}`)
  assert.equal(command('baseline', 'BN-ReLU'), `npm run cli -- transfer --layer BN-ReLU ${rest} ${settings}`)
})
