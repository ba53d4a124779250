import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { mock, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { Tensor4D } from '@tensorflow/tfjs-node-gpu'
import { FILTER_LOWERINGS, INPUT_LOWERINGS, type Lowering } from '../../main/engine/depthwise/lowerings.ts'
import { loadTable } from '../../main/engine/depthwise/register.ts'
import { shippedFile, shippedTable } from '../../main/engine/depthwise/shipped.ts'
import { choose, parseTable, type Shape, type Table } from '../../main/engine/depthwise/table.ts'
import { registerGradients } from '../../main/engine/gradients/index.ts'
import { createProgram } from '../../main/engine/jit/program.ts'
import { hasKernels } from '../../main/engine/kernels.ts'
import { loadRuntime, type Tensor } from '../../main/engine/runtime.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { createRandom } from '../../shared/random.ts'
import type { PresetName } from '../../shared/records.ts'
import { depthwiseShapes } from '../bench/tune.ts'

const { tf } = loadRuntime()
registerGradients()
hasKernels()

type Geometry = { n: number; h: number; w: number; c: number; kernel: number; stride: number }
/** Sides that a stride leaves over, filters larger than the image, channels that fill no vector. */
const CASES: readonly Geometry[] = [
  { n: 2, h: 6, w: 6, c: 16, kernel: 3, stride: 1 },
  { n: 3, h: 7, w: 5, c: 13, kernel: 3, stride: 2 },
  { n: 2, h: 8, w: 8, c: 40, kernel: 5, stride: 1 },
  { n: 1, h: 8, w: 6, c: 24, kernel: 5, stride: 2 },
  { n: 2, h: 2, w: 2, c: 21, kernel: 5, stride: 1 },
  { n: 2, h: 5, w: 5, c: 8, kernel: 7, stride: 1 },
]

/** x, filter and dy, and both gradients by the convolution's definition. */
const worked = ({ n, h, w, c, kernel, stride }: Geometry) => {
  const random = createRandom('depthwise')
  const draw = (size: number): Float32Array => Float32Array.from({ length: size }, () => random.normal())
  const [p, q] = [Math.ceil(h / stride), Math.ceil(w / stride)]
  const before = (from: number, to: number): number =>
    Math.floor(Math.max(0, (to - 1) * stride + kernel - from) / 2)
  const [top, left] = [before(h, p), before(w, q)]
  const [x, filter, dy] = [draw(n * h * w * c), draw(kernel * kernel * c), draw(n * p * q * c)]
  const [byInput, byFilter] = [new Float64Array(x.length), new Float64Array(filter.length)]
  for (let i = 0; i < dy.length; i++) {
    const channel = i % c
    const [column, row, image] = [Math.floor(i / c) % q, Math.floor(i / c / q) % p, Math.floor(i / c / q / p)]
    for (let tap = 0; tap < kernel * kernel; tap++) {
      const [y, z] = [row * stride - top + Math.floor(tap / kernel), column * stride - left + (tap % kernel)]
      if (y < 0 || y >= h || z < 0 || z >= w) continue
      const at = ((image * h + y) * w + z) * c + channel
      byInput[at]! += dy[i]! * filter[tap * c + channel]!
      byFilter[tap * c + channel]! += dy[i]! * x[at]!
    }
  }
  return {
    x: tf.tensor(x, [n, h, w, c]),
    filter: tf.tensor(filter, [kernel, kernel, c, 1]),
    dy: tf.tensor(dy, [n, p, q, c]),
    byInput,
    byFilter,
    shape: { batch: n, size: Math.sqrt(h * w), channels: c, kernel, stride },
  }
}

const same = (got: Tensor, wanted: Float64Array, what: string): void => {
  const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const off = got
    .dataSync<'float32'>()
    .reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0)
  assert.ok(off < 1e-5 * scale, `${what}: off by ${off} of ${scale}`)
}

for (const geometry of CASES)
  test(`every lowering gives the same gradients: ${JSON.stringify(geometry)}`, () => {
    const { x, filter, dy, byInput, byFilter, shape } = worked(geometry)
    const check = (
      lowerings: Readonly<Record<string, Lowering>>,
      given: readonly [Tensor, Tensor],
      like: Tensor,
      wanted: Float64Array,
    ): void => {
      for (const [name, { suits, run }] of Object.entries(lowerings)) {
        if (!suits(shape)) continue
        same(run(given, like.shape, shape), wanted, `${name}, eager`)
        const spec = (tensor: Tensor) => ({ shape: tensor.shape, dtype: 'float32' }) as const
        const program = createProgram([], {
          step: { step: (a, b) => [run([a!, b!], like.shape, shape)], inputs: given.map(spec) },
        })
        same(program.run('step', ...given)[0]!, wanted, `${name}, recorded`)
        program.dispose()
      }
    }
    check(INPUT_LOWERINGS, [dy, filter], x, byInput)
    check(FILTER_LOWERINGS, [x, dy], filter, byFilter)
    // And as tfjs's gradient asks for them, by whatever the table says.
    const { stride } = geometry
    const forward = (a: Tensor, b: Tensor): Tensor =>
      tf.depthwiseConv2d(a as Tensor4D, b as Tensor4D, stride, 'same')
    const [dx, df] = tf.grads(forward)([x, filter], dy) as [Tensor, Tensor]
    same(dx, byInput, 'by the input, as registered')
    same(df, byFilter, 'by the filter, as registered')
  })

test('the engine’s own kernel is among them where kernels are to be had', (t) => {
  if (!hasKernels()) return t.skip('no kernels here')
  const shape = { batch: 2, size: 6, channels: 8, stride: 1 }
  assert.deepEqual(
    [3, 5, 7].map((kernel) => FILTER_LOWERINGS.own.suits({ ...shape, kernel })),
    [true, true, false],
  )
})

const row = (channels: number, batch: number, kernel = 3, filter: 'own' | 'tensorflow' = 'own') =>
  ({ batch, size: 8, channels, kernel, stride: 1, input: 'flipped', filter }) as const
const TABLE: Table = {
  machine: 'a test',
  rows: [row(8, 32, 3, 'tensorflow'), row(256, 32), row(8, 32, 5)],
}

test('a shape of the table is taken as it says, another one as the most similar of its kernel and stride', () => {
  const shape: Shape = { batch: 32, size: 8, channels: 8, kernel: 3, stride: 1 }
  const filterOf = (changed: Partial<Shape>): string => choose(TABLE, { ...shape, ...changed }).filter
  assert.equal(filterOf({}), 'tensorflow')
  assert.equal(filterOf({ channels: 256 }), 'own')
  assert.equal(filterOf({ channels: 24, batch: 64 }), 'tensorflow')
  assert.equal(filterOf({ channels: 120 }), 'own')
  assert.equal(filterOf({ kernel: 5, channels: 1000 }), 'own')
})

test('without a row of its kernel and stride a shape stays with TensorFlow’s ops', () => {
  assert.deepEqual(choose(TABLE, { batch: 32, size: 8, channels: 8, kernel: 7, stride: 2 }), {
    input: 'tensorflow',
    filter: 'tensorflow',
  })
})

test('a table that is not one is refused, with its file and what is wrong', () => {
  const refused: readonly [string, RegExp][] = [
    [
      '{',
      /^Error: depthwise: t\.json is no table of lowerings \(.*JSON.*"npm run bench -- tune" writes one$/,
    ],
    ['[]', /t\.json is no table of lowerings \(the whole: .*object/],
    ['{"machine":"m","rows":[{"batch":0}]}', /rows\.0\.batch: /],
    [JSON.stringify({ ...TABLE, rows: [{ ...row(8, 32), filter: 'magic' }] }), /rows\.0\.filter: .*own/],
    [JSON.stringify({ ...TABLE, more: 1 }), /more/],
  ]
  for (const [text, reason] of refused) assert.throws(() => parseTable(text, 't.json'), reason)
  assert.deepEqual(parseTable(JSON.stringify(TABLE), 't.json'), TABLE)
})

test('each level of x86-64 comes with a table of its own, of every shape of the presets', () => {
  const [second, third, fourth] = (['x86-64-v2', 'x86-64-v3', 'x86-64-v4'] as const).map((level) => {
    const file = shippedFile(level, '')
    assert.equal(path.basename(file), `${level}.json`)
    return shippedTable(file)
  }) as [Table, Table, Table]
  const presets = (Object.keys(PRESETS) as PresetName[]).flatMap(depthwiseShapes)
  for (const table of [second, third, fourth])
    for (const shape of presets)
      assert.ok(
        table.rows.some((row) => isDeepStrictEqual({ ...row, ...shape }, row)),
        `${table.machine}: ${JSON.stringify(shape)}`,
      )
  assert.notDeepEqual(second.rows, third.rows)
  assert.notDeepEqual(third.rows, fourth.rows)
})

test('the table is that of the processor’s level, and no higher than oneDNN is kept to', () => {
  const levels = ['x86-64', 'x86-64-v2', 'x86-64-v3', 'x86-64-v4', null] as const
  const chosen = (isa: string): string[] =>
    levels.map((level) => path.basename(shippedFile(level, isa), '.json').slice(-2))
  assert.deepEqual(chosen(''), ['v2', 'v2', 'v3', 'v4', 'v2'])
  assert.deepEqual(chosen('AVX2'), ['v2', 'v2', 'v3', 'v3', 'v2'])
  assert.deepEqual(chosen('sse41'), ['v2', 'v2', 'v2', 'v2', 'v2'])
  assert.deepEqual(chosen('AVX512_CORE'), ['v2', 'v2', 'v3', 'v4', 'v2'])
})

test('a machine’s own table comes before the one that is shipped, unless it can’t be read', (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'normforge-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'depthwise.json')
  const shipped = loadTable(file)
  assert.deepEqual(shipped, shippedTable())
  writeFileSync(file, JSON.stringify(TABLE))
  assert.deepEqual(loadTable(file), TABLE)
  writeFileSync(file, '{"rows":')
  const told = mock.method(console, 'error', () => undefined)
  assert.deepEqual(loadTable(file), shipped)
  assert.match(
    String(told.mock.calls[0]!.arguments[0]),
    /going on with the table .* comes with it.*depthwise\.json/,
  )
  told.mock.restore()
})
