import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { inBfloat16 } from '../../main/engine/jit/bfloat16.ts'
import { savedModel, type GraphOp } from '../../main/engine/jit/proto.ts'
import { has } from '../../main/setup/process.mjs'
import { describe, isWithin, runCases } from './gpu/check.ts'
import { chosen, trainingsAnHour, type GpuRow } from './gpu/choose.ts'
import { differences, TOLERANCES } from './gpu/compare.ts'
import { neededFor, nodesOf, type Node } from './gpu/graph.ts'
import { pack } from './gpu/kit.ts'
import { placed } from './gpu/placement.ts'
import { readRegistry, type Kernel, type Registry } from './gpu/registry.ts'
import { installedLibraries } from './gpu/wheel.ts'

/** The engine's kernels are for processors: where TensorFlow has a GPU, no graph may hold one, as it would run on the host. */
for (const group of ['layers', 'networks'] as const)
  test(`on a GPU the engine goes without its own kernels, and its numbers stay: ${group}`, async () => {
    const [results, wanted] = await Promise.all([
      runCases(group, 'stand-in', ['EvoNorm-B0']),
      runCases(group, 'cpu', ['EvoNorm-B0']),
    ])
    const ops = new Set(results.flatMap(({ runs }) => runs.flatMap(({ nodes }) => nodes.map(({ op }) => op))))
    assert.ok(ops.has('AssignVariableOp'), 'needed the graphs that were run, got others')
    assert.deepEqual(
      [...ops].filter((op) => op.startsWith('NormForge')),
      [],
    )
    const checked = { group, tolerance: TOLERANCES[group], found: differences(results, wanted), results }
    assert.ok(isWithin(checked), describe(checked))
  })

const result = (numbers: Record<string, (number | null)[]>) => ({
  name: 'a',
  numbers: numbers as never,
  runs: [],
})
test('a difference is a share of the largest number; what is missing, or no number on one side, is beyond any', () => {
  const share = (got: Record<string, (number | null)[]>, wanted: Record<string, (number | null)[]>) =>
    differences([result(got)], [result(wanted)])[0]!.share
  assert.equal(share({ y: [1, 9] }, { y: [2, 10] }), 0.1)
  assert.equal(share({ y: [null, 10] }, { y: [null, 10] }), 0)
  assert.equal(share({ y: [null, 10] }, { y: [1, 10] }), Infinity)
  assert.equal(share({ y: [1] }, { y: [1, 10] }), Infinity)
  assert.equal(share({}, { y: [1] }), Infinity)
  assert.equal(share({}, {}), Infinity)
  assert.equal(differences([], [result({ y: [1] })])[0]!.share, Infinity)
})

const FLOAT = { T: { type: 1 } }
const op = (
  name: string,
  kind: string,
  inputs: string[],
  attributes: GraphOp['attributes'] = FLOAT,
): GraphOp => ({
  ...{ name, inputs, attributes },
  op: kind,
})

test('a graph is read from the bytes that TensorFlow is given, and only what a fetch needs counts', () => {
  const ops = [op('a', 'Placeholder', []), op('b', 'MatMul', ['a', 'a']), op('c', 'Tanh', ['a', '^b'])]
  const nodes = nodesOf(savedModel(inBfloat16(ops, new Map([['b', { shape: [], dtype: 1 }]]))))
  assert.deepEqual(
    nodes.map(({ name, op, inputs, types }) => [name, op, inputs.join(), types.T]),
    [
      ['a', 'Placeholder', '', 1],
      ['a/bfloat16', 'Cast', 'a', undefined],
      ['b/product', 'MatMul', 'a/bfloat16,a/bfloat16', 14],
      ['b', 'Cast', 'b/product', undefined],
      ['c', 'Tanh', 'a,^b', 1],
    ],
  )
  const names = (fetched: string) => neededFor(nodes, fetched).map(({ name }) => name)
  assert.deepEqual(names('b:0'), ['a', 'a/bfloat16', 'b/product', 'b'])
  assert.equal(names('c:0').length, 5)
})

const kernel = (device: string, types: readonly number[], ...host: string[]): Kernel => ({
  device,
  types: new Map([['T', types]]),
  host: new Set(host),
})
const argument = (name: string, count = '') => ({ name, count, list: '' })
/** Tanh of floats; Sum, whose axes are in the host's memory; Add, whose integers are; Odd, which no GPU has. */
const STAND_IN: Registry = {
  ops: new Map([
    ['Tanh', { inputs: [argument('x')], outputs: [argument('y')], defaults: new Map() }],
    ['Sum', { inputs: [argument('x'), argument('axes')], outputs: [argument('y')], defaults: new Map() }],
    ['Add', { inputs: [argument('xs', 'N')], outputs: [argument('y')], defaults: new Map([['T', 3]]) }],
    ['Odd', { inputs: [argument('x')], outputs: [argument('y')], defaults: new Map() }],
    ['Placeholder', { inputs: [], outputs: [argument('y')], defaults: new Map() }],
  ]),
  kernels: new Map([
    ['Tanh', [kernel('CPU', [1, 3]), kernel('GPU', [1])]],
    ['Sum', [kernel('GPU', [1], 'axes')]],
    ['Add', [kernel('GPU', [1]), kernel('DEFAULT', [3], 'xs', 'y')]],
    ['Odd', [kernel('CPU', [1])]],
    ['Placeholder', [kernel('GPU', [1])]],
  ]),
}
const node = (name: string, op: string, inputs: string[], type?: number): Node => ({
  ...{ name, op, inputs, device: '', integers: { N: inputs.length } },
  types: type === undefined ? {} : { T: type },
})

test('ops are placed as their kernels for a GPU say: launched, missing, in the host’s memory, waited for', () => {
  const place = placed(
    [
      node('a', 'Tanh', [], 1),
      node('b', 'Tanh', ['a'], 3),
      node('c', 'Sum', ['a', 'a'], 1),
      // By its default type an integer.
      node('d', 'Add', ['a', 'c']),
      node('e', 'Add', ['a', 'd'], 1),
      { ...node('f', 'Odd', ['e', '^a'], 1), device: '/CPU:0' },
      // What is fed comes from the host.
      node('g', 'Placeholder', [], 1),
      node('h', 'Sum', ['a', 'g'], 1),
    ],
    STAND_IN,
  )
  const text = (counts: ReadonlyMap<string, number>) => Object.fromEntries(counts)
  assert.equal(place.launches, 4)
  assert.deepEqual(text(place.missing), { 'Tanh (T int32)': 1, 'Odd (T float)': 1 })
  assert.deepEqual(text(place.onHost), { Add: 1 })
  assert.deepEqual(text(place.pinned), { 'Odd to /CPU:0': 1 })
  assert.deepEqual(text(place.waits), {
    'Tanh → Tanh.x': 1,
    'Tanh → Sum.axes': 1,
    'Tanh → Add.xs': 1,
    'Sum → Add.xs': 1,
    'Add → Odd.x': 1,
  })
})

test('TensorFlow’s libraries say what ops and kernels they have', async (t) => {
  const libraries = installedLibraries()
  if (!has(process.env.CXX ?? 'g++') || !libraries) return t.skip('needs a C++ compiler and the C headers')
  const { ops, kernels } = await readRegistry(libraries)
  assert.deepEqual(
    ops.get('Conv2D')?.inputs.map(({ name }) => name),
    ['input', 'filter'],
  )
  assert.deepEqual(ops.get('Conv2DBackpropInput')?.inputs.length, 3)
  assert.equal(ops.get('AddN')?.inputs[0]?.count, 'N')
  assert.equal(ops.get('Shape')?.defaults.get('out_type'), 3)
  assert.ok(
    kernels.get('Conv2D')?.some(({ device, types }) => device === 'CPU' && types.get('T')?.includes(1)),
  )
})

const row = (workers: number, stepsPerSecond: number, other: Partial<GpuRow> = {}): GpuRow => ({
  ...{
    network: 'a',
    layer: 'b',
    who: 'engine',
    xla: false,
    bfloat16: false,
    firstSeconds: 1,
    gpuBytes: null,
  },
  ...{ workers, stepsPerSecond, ...other },
})

test('what is chosen finishes most trainings, the first step counted; bfloat16 only where it is asked for', () => {
  // A second to the first step and a hundred of ten a second: eleven seconds each.
  assert.equal(trainingsAnHour(row(1, 10), 100), 3600 / 11)
  const rows = [
    row(1, 10),
    row(2, 16),
    row(2, 30, { xla: true, firstSeconds: 100 }),
    row(2, 24, { bfloat16: true }),
    row(1, 1000, { who: 'PyTorch' }),
  ]
  const way = (steps: number, bfloat16: boolean) => {
    const { workers, xla, bfloat16: has } = chosen(rows, steps, bfloat16)!
    return { workers, xla, bfloat16: has }
  }
  assert.deepEqual(way(100, false), { workers: 2, xla: false, bfloat16: false })
  assert.deepEqual(way(10_000, false), { workers: 2, xla: true, bfloat16: false })
  assert.deepEqual(way(100, true), { workers: 2, xla: false, bfloat16: true })
  assert.equal(chosen([], 100, false), null)
})

/** A kit whose program tells its arguments, its folder for what is fetched and a file's text. */
const smallKit = async (t: TestContext) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'normforge-kit-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [program, kit] = [path.join(folder, 'program'), path.join(folder, 'a kit')]
  mkdirSync(path.join(program, 'main/setup'), { recursive: true })
  writeFileSync(path.join(program, 'main/setup/run.mjs'), '')
  writeFileSync(path.join(program, 'text'), 'whole')
  writeFileSync(path.join(program, 'node'), '#!/bin/sh\necho "$@" "$NORMFORGE_CACHE" "$(cat text)"\n', {
    mode: 0o755,
  })
  await pack(kit, 100, ['-C', program, '.'])
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('sh', [path.join(kit, 'run.sh'), ...args], {
      encoding: 'utf8',
    })
    return { status, stdout: stdout.trim(), stderr }
  }
  return { kit, run }
}

test('a kit joins its parts, verifies them and runs; unpacked, it runs at once', async (t) => {
  const { kit, run } = await smallKit(t)
  const parts = readdirSync(kit).filter((name) => name.startsWith('part-'))
  assert.ok(parts.length > 3 && parts.length < 100, `${parts.length} parts`)
  assert.deepEqual(run(), {
    status: 0,
    stdout: `main/setup/run.mjs bench gpu ${kit}/unpacked/cache whole`,
    stderr: `verifying the kit's parts\nunpacking into ${kit}/unpacked\n`,
  })
  for (const part of parts) rmSync(path.join(kit, part))
  const again = run('cli', 'list')
  assert.deepEqual([again.stderr, again.stdout.startsWith('main/setup/run.mjs cli list')], ['', true])
})

test('a kit with a part missing or damaged says which, and unpacks nothing', async (t) => {
  const { kit, run } = await smallKit(t)
  const second = path.join(kit, 'part-0001')
  const before = readFileSync(second)
  const refused = (): void => {
    const { status, stderr } = run()
    assert.equal(status, 1)
    assert.match(stderr, /part-0001[\s\S]*copy it again/)
    assert.ok(!existsSync(path.join(kit, 'unpacked')))
  }
  rmSync(second)
  refused()
  writeFileSync(
    second,
    before.map((byte, i) => (i === 7 ? byte ^ 1 : byte)),
  )
  refused()
  writeFileSync(second, before)
  appendFileSync(path.join(kit, 'part-9999'), 'a file that is none of the kit’s')
  assert.equal(run().status, 0)
})

test('a kit needs an empty folder and parts of some bytes', async (t) => {
  const { kit } = await smallKit(t)
  await assert.rejects(pack(kit, 100, ['-C', kit, '.']), /needed an empty folder, got .*a kit/)
  await assert.rejects(pack(`${kit}2`, 0.5, ['-C', kit, '.']), /a whole number of bytes, got 0.5/)
  await assert.rejects(pack(`${kit}3`, 100, ['-C', kit, 'nothing']), /tar says: .*nothing/)
})
