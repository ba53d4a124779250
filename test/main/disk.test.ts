/** The command line on disks that refuse, and on paths that hold anything: one sentence or the work done, no stack trace. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { cli, type Ended } from './cli.ts'
import { dataFolder } from './stand-in-app.ts'

const isOneSentence = ({ code, out, err }: Ended, sentence: RegExp): void => {
  assert.deepEqual([code, out], [1, ''], err)
  assert.match(err, sentence)
  assert.doesNotMatch(err, /^\s+at /m)
}
const EXPORT = ['export', '--layer', 'BN-ReLU', '--target', 'pytorch', '--out']
const CLASSIFY = [
  ...['classify', '--layer', 'BN-ReLU', '--data', 'shapes', '--steps', '1'],
  ...['--set', 'data.trainingImages=40', '--set', 'data.validationImages=20', '--save'],
]

test('a data folder that can’t be made is named, at once', async () => {
  const file = path.join(dataFolder(), 'file')
  writeFileSync(file, '')
  const cases: readonly (readonly [string, RegExp])[] = [
    ['/proc/nope', /^normforge: store: .*: \/proc\/nope can't be made: there is no such place \(ENOENT\)/],
    [`${file}/below`, /file\/below can't be made: a part of this path is no folder \(ENOTDIR\)/],
    [file, /file can't be made: a part of this path is no folder/],
    [`/tmp/${'x'.repeat(300)}`, /the name is too long/],
  ]
  const ended = await Promise.all(cases.map(([folder]) => cli(['list'], { NORMFORGE_DATA: folder })))
  for (const [i, [, sentence]] of cases.entries()) isOneSentence(ended[i]!, sentence)
})

test('what can’t be written is said before any training', async () => {
  const folder = dataFolder()
  const results = await Promise.all([
    cli([...EXPORT, '/proc/nope.py']),
    cli([...EXPORT, folder]),
    cli([...CLASSIFY, '/proc/nope.bin']),
    cli([...CLASSIFY, path.join(folder, 'missing', 'a.bin')]),
  ])
  const sentences = [
    /--out: \/proc\/nope\.py can't be opened: there is no such place \(ENOENT\)$/m,
    /--out: .* can't be opened: it is a folder \(EISDIR\)$/m,
    /--save: \/proc\/nope\.bin\.\d+\.tmp can't be opened: there is no such place/,
    /--save: needs a folder that is there, got .*missing$/m,
  ]
  for (const [i, sentence] of sentences.entries()) isOneSentence(results[i]!, sentence)
})

test('folders and files may be called whatever a file system allows', async () => {
  for (const name of ['a,b', 'a b', 'a#b', `a'b"c`, 'a\nb', 'ä漢', 'a%20b', 'a?b&c=d', '-a']) {
    const folder = path.join(dataFolder(), name)
    mkdirSync(folder)
    const file = path.join(folder, `${name}.py`)
    const [listed, exported] = await Promise.all([
      cli(['list', '--json'], { NORMFORGE_DATA: folder }),
      cli([...EXPORT, file]),
    ])
    assert.deepEqual([listed.code, listed.out.trim(), exported.code], [0, '[]', 0], listed.err + exported.err)
    assert.ok(existsSync(path.join(folder, 'searches.sqlite')), name)
    assert.ok(existsSync(file), name)
  }
})

test('a training is kept in a file of any name, by the engine, which leaves no temporary one', async () => {
  const folder = path.join(dataFolder(), 'a, b#\n"ä"')
  mkdirSync(folder)
  const ended = await cli([...CLASSIFY, path.join(folder, 'a, b.bin')], {
    NORMFORGE_EVALUATOR: path.resolve(import.meta.dirname, '../../main/engine/evaluator.ts'),
  })
  assert.equal(ended.code, 0, ended.err)
  assert.deepEqual(readdirSync(folder), ['a, b.bin'])
})

test('a folder for temporary files that is not there is no layer’s fault', async () => {
  const ended = await cli(CLASSIFY.slice(0, -1), {
    NORMFORGE_EVALUATOR: path.resolve(import.meta.dirname, '../../main/engine/evaluator.ts'),
    TMPDIR: '/nowhere/at/all',
  })
  assert.match(
    ended.err,
    /^normforge: \/nowhere\/at\/all\/normforge-graph-\w+ can't be made: there is no such/m,
  )
})

test('a data folder is taken from where npm was called, which runs scripts in its own', async () => {
  const at = dataFolder()
  for (const [args, env] of [
    [['--data-folder', 'mine'], {}],
    [[], { NORMFORGE_DATA: 'mine' }],
  ] as const) {
    const called = { npm_lifecycle_event: 'cli', INIT_CWD: at, ...env }
    assert.equal((await cli(['list', ...args], called)).code, 0)
    assert.deepEqual(readdirSync(at), ['mine'])
    rmSync(path.join(at, 'mine'), { recursive: true })
  }
})
