import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { graphSchema } from '../../shared/records/graph.ts'
import { searchConfigSchema } from '../../shared/records/search-config.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { knownLayer } from '../../shared/known.ts'
import { applySettings } from '../../main/cli/settings.ts'
import { UserError } from '../../main/cli/errors.ts'
import { createApi } from '../../main/api.ts'
import { createSearch, keyOf, updateSearch } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import type { Search } from '../../shared/records.ts'
import type { SearchSummary } from '../../shared/contract.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { cli } from './cli.ts'
import { dataFolder, until } from './stand-in-app.ts'

const SHORT =
  '--set evolution.maxSeconds=0 --set evolution.maxTrained=12 --set evolution.rerank.count=2'.split(' ')

const reportSchema = z.object({
  search: z.object({ id: z.string(), state: z.string(), stage: z.string(), seconds: z.number() }),
  funnel: z.record(z.string(), z.int()),
  best: z.array(
    z.object({
      number: z.int(),
      name: z.string(),
      formula: z.string(),
      fingerprint: z.string().length(32),
      scores: z.array(z.number()).length(3),
      average: z.number(),
      rerankScores: z.array(z.number()).length(3).nullable(),
    }),
  ),
  baselines: z.array(z.object({ name: z.string(), scores: z.array(z.number()).length(3).nullable() })),
})

test('a search from the command line ends with a table, and the workbench opens it', async (t) => {
  const folder = dataFolder()
  const where = ['--data-folder', folder]
  const made = await cli(['search', '--data', 'shapes', '--name', 'from here', ...SHORT, ...where])
  assert.equal(made.code, 0, made.err)
  assert.match(made.out, /^from here \([0-9a-f]{10}\): done/)
  assert.match(made.out, /best found layers +ResNet +MobileNetV2 +EfficientNet +average +longer +formula/)
  assert.match(made.out, /EvoNorm-B0 .* x \/ max\(std_nhw\(x\), v1 \* x \+ std_hw\(x\)\)/)
  assert.match(
    made.out,
    /\d+ candidates?, \d+ scored, \d+ duplicates? \(\d+ only by function\), rejected: \d+ static/,
  )
  assert.match(made.err, /baselines 0 of \d/)

  const listed = await cli(['list', '--json', ...where])
  const [summary, ...others] = JSON.parse(listed.out) as SearchSummary[]
  assert.equal(others.length, 0)
  assert.equal(summary!.search.name, 'from here')
  const { id } = summary!.search
  assert.match((await cli(['list', ...where])).out, new RegExp(`${id}  from here .* done`))

  const shown = await cli(['show', id.slice(0, 4), '--json', ...where])
  const report = reportSchema.parse(JSON.parse(shown.out))
  assert.equal(report.search.id, id)
  const b0 = report.baselines.findIndex(({ name }) => name === 'EvoNorm-B0')
  assert.equal(report.baselines.length, PRESETS.demo.config.baselines.length)
  assert.deepEqual(report.funnel, summary!.funnel)

  const layer = await cli(['show', id, String(report.best[0]!.number), ...where])
  assert.ok(layer.out.includes(report.best[0]!.formula), layer.out)
  assert.match(layer.out, /trained on +for +steps +accuracy/)
  const detail = JSON.parse((await cli(['show', id, String(b0), '--json', ...where])).out) as {
    candidate: { graph: unknown }
  }
  assert.deepEqual(graphSchema.parse(detail.candidate.graph), knownLayer('EvoNorm-B0').graph)

  const api = createApi({ host: 'browser', dataFolder: folder, evaluator: STAND_IN })
  t.after(() => api.close())
  const reply = await api.request({ id: 1, name: 'searches.list', argument: {} })
  assert.ok(reply.ok)
  assert.deepEqual(
    (reply.value as SearchSummary[]).map(({ search, funnel }) => [search.id, search.state, funnel]),
    [[id, 'done', report.funnel]],
  )
})

test('--json prints one object and nothing else', async () => {
  const { code, out } = await cli([
    'search',
    '--data',
    'shapes',
    '--json',
    ...SHORT,
    '--data-folder',
    dataFolder(),
  ])
  assert.equal(code, 0)
  const { search, funnel, best } = reportSchema.parse(JSON.parse(out))
  assert.deepEqual([search.state, search.stage], ['done', 'finished'])
  assert.equal(funnel['scored']! + funnel['quality']! + funnel['stability']!, 12)
  const reranked = best.filter(({ rerankScores }) => rerankScores !== null)
  assert.ok(reranked.length >= 2)
  assert.deepEqual(best.slice(0, reranked.length), reranked, 're-ranked layers come first')
})

test('Ctrl-C pauses a search and says how to go on; resume does, to the end', async () => {
  const where = ['--data-folder', dataFolder()]
  const args = ['search', '--data', 'shapes', '--seed', '3', ...SHORT, ...where]
  const paused = await cli(args, { NORMFORGE_STANDIN_MS: '300' }, async (kill, err) => {
    await until('the search to start', () => err().includes('baselines 0 of'))
    kill('SIGINT')
  })
  assert.equal(paused.code, 130, paused.err)
  const [, id] = /To go on: npm run cli -- resume ([0-9a-f]+)/.exec(paused.err)!
  assert.match(paused.out, /paused in stage baselines/)
  const resumed = await cli(['resume', id!.slice(0, 5), '--json', ...where])
  assert.equal(resumed.code, 0, resumed.err)
  assert.equal(reportSchema.parse(JSON.parse(resumed.out)).search.state, 'done')
  const again = await cli(['resume', id!, ...where])
  assert.deepEqual([again.code, again.out], [1, ''])
  assert.match(again.err, /is done already/)
})

test('a failure of the environment ends with code 2, the reason, and a search that can be resumed', async () => {
  const where = ['--data-folder', dataFolder()]
  const failed = await cli(['search', '--data', 'shapes', ...SHORT, ...where], {
    NORMFORGE_STANDIN_FAULTS: '{"#2":"environment"}',
  })
  assert.equal(failed.code, 2)
  assert.match(failed.err, /The search failed: stand-in: the data were taken away/)
  const [, id] = /resume ([0-9a-f]+)/.exec(failed.err)!
  assert.equal((await cli(['resume', id!, ...where])).code, 0)
})

test('classify gives the accuracy and curve of one layer, known or from a file', async () => {
  const folder = dataFolder()
  const common = [
    '--data',
    'shapes',
    '--architecture',
    'mobilenetv2',
    '--steps',
    '64',
    '--set',
    'training.groups=2',
  ]
  const { code, out } = await cli(['classify', '--layer', 'evonorm-s0', ...common, '--json'])
  assert.equal(code, 0)
  const { task, result } = JSON.parse(out) as {
    task: {
      training: { steps: number; groups: number }
      architectures: { name: string }[]
      rejection: null
      graph: unknown
    }
    result: { scores: number[]; evaluations: { curve: unknown[]; steps: number }[] }
  }
  assert.deepEqual(task.graph, knownLayer('EvoNorm-S0').graph)
  assert.deepEqual([task.training.steps, task.training.groups, task.rejection], [64, 2, null])
  assert.deepEqual(
    task.architectures.map(({ name }) => name),
    ['mobilenetv2'],
  )
  assert.equal(result.scores.length, 1)
  assert.ok(result.evaluations[0]!.curve.length > 0)

  const file = path.join(folder, 'layer.json')
  writeFileSync(file, JSON.stringify(knownLayer('EvoNorm-B2').graph))
  const text = await cli(['classify', '--layer', file, ...common])
  assert.equal(text.code, 0)
  assert.match(text.out, /^x \/ max\(std_nhw\(x\), rms_hw\(x\) - x\)\n/)
  assert.match(text.out, /accuracy \d+\.\d %/)
  writeFileSync(file, '{"version":1,"nodes":[{"op":"tan","inputs":[0]}],"affine":true}')
  const broken = await cli(['classify', '--layer', file, ...common])
  assert.equal(broken.code, 1)
  assert.match(broken.err, /not a layer: nodes\.0\.op/)
})

test('what others wrote is shown without its control characters, and JSON means the same', async (t) => {
  const folder = dataFolder()
  const name = 'bad\u001b]0;title\u0007\u009b2J\u202egpj\nfake   done'
  const db = openStore(folder)
  const { id } = createSearch(db, { name, config: PRESETS.demo.config, made: {} })
  updateSearch(db, keyOf(db, id), { state: 'failed', failure: `no \u001b[31m${name}` })
  db.close()
  t.after(() => rmSync(folder, { recursive: true }))
  for (const args of [['list'], ['show', id], ['list', '--json'], ['show', id, '--json']]) {
    const { code, out } = await cli([...args, '--data-folder', folder])
    assert.equal(code, 0)
    assert.doesNotMatch(out, /[^\P{Cc}\n]|\p{Bidi_Control}/u, args.join(' '))
    if (!args.includes('--json')) assert.match(out, /bad\\u001b\]0;title\\u0007\\u009b2J/)
  }
  const { out } = await cli(['list', '--json', '--data-folder', folder])
  assert.equal((JSON.parse(out) as SearchSummary[])[0]!.search.name, name)
  assert.equal((await cli(['list', '--data-folder', folder])).out.trimEnd().split('\n').length, 2)
})

test("the user's errors end with code 1 and one line that says what is needed", async () => {
  const folder = dataFolder()
  const empty = path.join(folder, 'empty')
  mkdirSync(empty)
  writeFileSync(path.join(folder, 'searches.sqlite'), 'not a database at all')
  const pipe = path.join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const saved = ['classify', '--layer', 'BN-ReLU', '--data', 'shapes', '--save']
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['serch'], /unknown command 'serch'[\s\S]*search/],
    [['search', '--preset', 'paper'], /--data: this preset needs the path of a folder of cifar10/],
    [
      ['search', '--data', path.join(folder, 'nowhere')],
      /--data: needs "shapes" or a folder, got ".*nowhere"/,
    ],
    [['search', '--data', empty], /needs CIFAR-10's data_batch_\*\.bin or a folder of images a class/],
    [['search', '--seed', '-1'], /whole number/],
    [
      ['search', '--set', 'training.stpes=3'],
      /no setting "training\.stpes"; the nearest is "training\.steps"/,
    ],
    [['list', '--data-folder', folder], /searches\.sqlite is not a store/],
    [['show', 'abc', '--data-folder', empty], /there is no search "abc"/],
    [['list', '--data-folder', ''], /store: needs the path of a data folder, got an empty one/],
    [['search', '--data', 'shapes', '--workers', '999999999'], /a whole number of at most 256/],
    [
      ['search', '--data', 'shapes', '--seed', '9007199254740992'],
      /a whole number of at most 9007199254740991/,
    ],
    [['search', '--set', 'data.validationImages=9007199254740991'], /validationImages: needs <=2147483647/],
    [
      ['transfer', '--layer', 'BN-ReLU', '--task', 'synthesis', '--seed', '9007199254740991'],
      /seed: needs <=9007199254740971/,
    ],
    [
      ['classify', '--layer', 'BN-RELUX'],
      /--layer: needs a JSON file, <search>:<number> or one of BN-ReLU, .* got "BN-RELUX"/,
    ],
    [['classify', '--layer', empty], /--layer: .*: needed a file, got a folder$/m],
    [['classify', '--layer', pipe], /--layer: .*pipe: needed a file, got a pipe$/m],
    [[...saved, '/dev/full'], /--save: checkpoint: \/dev\/full: needed a file, got a device$/m],
    [[...saved, empty], /--save: checkpoint: .*: needed a file, got a folder$/m],
  ]
  const results = await Promise.all(cases.map(([args]) => cli(args)))
  for (const [i, { code, out, err }] of results.entries()) {
    const [args, message] = cases[i]!
    assert.deepEqual([code, out], [1, ''], `${args.join(' ')}: ${err}`)
    assert.match(err, message)
    assert.ok(!err.includes('    at '), 'no trace')
  }
})

test('doctor prints facts as JSON', async () => {
  const { code, out } = await cli(['doctor', '--json'])
  assert.equal(code, 0)
  const facts = z
    .array(z.object({ label: z.string(), value: z.string(), ok: z.boolean() }))
    .parse(JSON.parse(out))
  assert.ok(facts.some(({ label, value }) => label === 'Node' && value === process.version))
})

const demo = PRESETS.demo.config
const set = (...settings: string[]) => applySettings(demo, settings, searchConfigSchema)
const needs = (message: string) => (error: unknown) => error instanceof UserError && error.message === message

test('settings go anywhere into the configuration, and leave the rest', () => {
  assert.deepEqual(set(), demo)
  const changed = set(
    'training.steps=7',
    'architectures.1.width=0.5',
    'baselines=["BN-ReLU"]',
    'evolution.winner=average',
  )
  const expected: Search['config'] = {
    ...demo,
    training: { ...demo.training, steps: 7 },
    architectures: demo.architectures.map((a, i) => (i === 1 ? { ...a, width: 0.5 } : a)),
    baselines: ['BN-ReLU'],
    evolution: { ...demo.evolution, winner: 'average' },
  }
  assert.deepEqual(changed, expected)
  assert.equal(set('data.path=/images').data.path, '/images')
})

test('a setting that is wrong is named with what is needed and what came', () => {
  assert.throws(() => set('training.steps=many'), needs('--set training.steps: needs a number, got "many"'))
  assert.throws(() => set('training.steps=0'), needs('--set training.steps: needs >=1, got 0'))
  assert.throws(
    () => set('evolution.winner=best'),
    needs('--set evolution.winner: needs one of "pareto"|"average", got "best"'),
  )
  assert.throws(
    () => set('architectures.0.name=vgg'),
    /--set architectures\.0\.name: needs one of .* got "vgg"/,
  )
  assert.throws(() => set('training'), needs('--set: needs key=value, got "training"'))
  assert.throws(
    () => set('steps=3'),
    needs('--set: there is no setting "steps"; the nearest is "training.steps"'),
  )
  assert.throws(
    () => set('evolution.maxTraind=3'),
    needs('--set: there is no setting "evolution.maxTraind"; the nearest is "evolution.maxTrained"'),
  )
  for (const setting of [
    ...['__proto__.x=1', '__proto__=1', 'training.__proto__=1', 'training.__proto__={"steps":1}'],
    ...[
      'training={"__proto__":1}',
      'constructor.prototype.x=1',
      'training.constructor=1',
      'training.toString=1',
    ],
    ...['architectures.length=0', 'architectures.length=4000000000', 'architectures.4000000000={}'],
    ...['architectures.push=1', 'architectures.-1=1', 'architectures.00x=1'],
  ])
    assert.throws(() => set(setting), UserError, setting)
  assert.equal(Reflect.get({}, 'x'), undefined)
  assert.equal(set('architectures.3={"name":"resnet","width":1,"depth":1}').architectures.length, 4)
})
