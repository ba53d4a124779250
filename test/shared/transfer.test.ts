import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PRESETS } from '../../shared/catalog.ts'
import { KNOWN } from '../../shared/known.ts'
import type { PresetName } from '../../shared/records.ts'
import {
  comparisonOf,
  protocolOf,
  scaledDownOf,
  seedsOf,
  TRANSFER_TASK_NAMES,
  TRANSFER_TASKS,
  transferConfigSchema,
  transferPreset,
  type TransferConfig,
} from '../../shared/transfer.ts'

const PRESET_NAMES = Object.keys(PRESETS) as PresetName[]

test('every preset is a config that the schema lets through, with baselines that are known', () => {
  for (const task of TRANSFER_TASK_NAMES)
    for (const preset of PRESET_NAMES) {
      const config = transferPreset(task, preset)
      assert.deepEqual(transferConfigSchema.parse(config), config, `${task} ${preset}`)
      assert.deepEqual([config.task, config.preset], [task, preset])
      const known = KNOWN.map(({ name }) => name)
      assert.ok(config.baselines.every((name) => known.includes(name)))
      assert.ok(TRANSFER_TASKS[task].dataSets[config.data.kind], config.data.kind)
    }
})

test('what is scaled down against the paper is said, and nothing where nothing is', () => {
  assert.deepEqual(scaledDownOf(transferPreset('verification', 'paper')), [])
  for (const task of TRANSFER_TASK_NAMES.filter((name) => name !== 'verification')) {
    const paper = scaledDownOf(transferPreset(task, 'paper'))
    assert.match(paper[0]!, /^The folder is taken for (COCO 2017|ImageNet), which nobody checks$/)
    assert.ok(
      paper.every((line) => !/; in the paper \d/.test(line)),
      paper.join('\n'),
    )
    const demo = scaledDownOf(transferPreset(task, 'demo'))
    // What is said of a folder is not said of Shapes; the other departures are there whatever the scale.
    assert.deepEqual(demo.slice(1 - paper.length), paper.slice(1))
    assert.ok(demo.length >= paper.length + 8)
    assert.ok(
      demo.some((line) => /^Images: \d+ px; in the paper \d+ px$/.test(line)),
      demo.join('\n'),
    )
  }
})

test('every number of a demo that differs from the paper is said', () => {
  const said = {
    segmentation: scaledDownOf(transferPreset('segmentation', 'demo')),
    synthesis: scaledDownOf(transferPreset('synthesis', 'demo')),
    verification: scaledDownOf(transferPreset('verification', 'demo')),
  }
  // What changes how often something is written or shown, and not what it comes to, is no scaling down; nor is a warm-up.
  // Networks are said in words; images that a search validates on are not measured on.
  const silent =
    /^(preset|evaluateEvery|checkpointEvery|training\.warmupSteps|data\.kind|architectures|baselines|data\.validationImages)$/
  for (const task of TRANSFER_TASK_NAMES) {
    const [demo, paper] = [transferPreset(task, 'demo'), transferPreset(task, 'paper')]
    for (const [path, value, other] of numbersOf(demo, paper))
      if (!silent.test(path))
        assert.ok(
          said[task].some((line) => new RegExp(`(^|[^\\d.])${value}([^\\d.].*)?; in the paper `).test(line)),
          `${task}: ${path} is ${value}, in the paper ${other}`,
        )
  }
})

/** Paths and values that two configs of a task have different. */
const numbersOf = (a: object, b: object, path = ''): [string, unknown, unknown][] =>
  Object.entries(a).flatMap(([key, value]: [string, unknown]): [string, unknown, unknown][] => {
    const other: unknown = (b as Record<string, unknown>)[key]
    const at = path ? `${path}.${key}` : key
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return numbersOf(value, other as object, at)
    return JSON.stringify(value) === JSON.stringify(other) ? [] : [[at, value, other]]
  })

test('a protocol is all that decides the figures but the layer and the seed', () => {
  const config = transferPreset('segmentation', 'demo')
  const protocol = protocolOf(config)
  assert.match(protocol, /^[0-9a-f]{32}$/)
  const same: Partial<TransferConfig>[] = [
    { preset: 'paper' },
    { seed: 7 },
    { seeds: 1 },
    { baselines: [] },
    { checkpointEvery: 1 },
  ]
  for (const change of same)
    assert.equal(protocolOf({ ...config, ...change } as TransferConfig), protocol, JSON.stringify(change))
  const others = [
    { ...config, evaluateEvery: 1 },
    { ...config, training: { ...config.training, steps: 1 } },
    { ...config, data: { ...config.data, imageSize: 96 } },
    transferPreset('synthesis', 'demo'),
  ].map((other) => protocolOf(other as TransferConfig))
  assert.equal(new Set([protocol, ...others]).size, 5)
  const turned = Object.fromEntries(Object.entries(config).reverse()) as TransferConfig
  assert.equal(protocolOf(turned), protocol, 'the order of keys means nothing')
})

test('promotions are the same with the same protocol, seeds and baselines', () => {
  const config = transferPreset('synthesis', 'demo')
  assert.deepEqual(seedsOf({ ...config, seed: 4, seeds: 3 }), [4, 5, 6])
  const comparison = comparisonOf(config)
  assert.equal(comparisonOf({ ...config, preset: 'paper', checkpointEvery: 1 }), comparison)
  for (const change of [{ seed: 9 }, { seeds: 9 }, { baselines: ['BN-ReLU'] }, { evaluateEvery: 1 }])
    assert.notEqual(comparisonOf({ ...config, ...change }), comparison, JSON.stringify(change))
})
