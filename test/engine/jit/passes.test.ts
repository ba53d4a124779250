import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DT, type Out } from '../../../main/engine/jit/known.ts'
import { oneNumber } from '../../../main/engine/jit/passes/broadcasts.ts'
import { constant, filled, oneValue } from '../../../main/engine/jit/passes/constants.ts'
import { optimized } from '../../../main/engine/jit/passes/index.ts'
import { largePasses } from '../../../main/engine/jit/passes/large.ts'
import { merging } from '../../../main/engine/jit/passes/merged.ts'
import { neutral } from '../../../main/engine/jit/passes/neutral.ts'
import { pruned } from '../../../main/engine/jit/passes/pruned.ts'
import { reshapeOnce } from '../../../main/engine/jit/passes/reshapes.ts'
import { rewritten, type Rule } from '../../../main/engine/jit/passes/rewrite.ts'
import { sameShape, sameType } from '../../../main/engine/jit/passes/unchanged.ts'
import type { AttributeValue, GraphOp } from '../../../main/engine/jit/proto.ts'
import { elementsOf } from '../../../main/engine/jit/shapes.ts'

/** A graph by hand: ops with the shapes they give; x and y are inputs `[2, 3]`, v `[3]` and s a scalar. */
const graph = () => {
  const ops: GraphOp[] = []
  const outs = new Map<string, Out>()
  const op = (
    name: string,
    kind: string,
    inputs: string[],
    shape: number[],
    { dtype = DT.float as number, ...attributes }: { dtype?: number; [name: string]: unknown } = {},
  ): void => {
    ops.push({ name, op: kind, inputs, attributes: attributes as Record<string, AttributeValue> })
    outs.set(name, { shape, dtype })
  }
  const fill = (name: string, value: number, shape: number[]): void => {
    const values = new Float32Array(elementsOf(shape)).fill(value)
    ops.push(constant(name, { dtype: DT.float, shape, values }))
    outs.set(name, { shape, dtype: DT.float })
  }
  op('x', 'Placeholder', [], [2, 3])
  op('y', 'Placeholder', [], [2, 3])
  op('v', 'Placeholder', [], [3])
  op('s', 'Placeholder', [], [])
  /** The op that gives the result, which takes `name`, after rules; and all ops that are left. */
  const by = (name: string, ...rules: Rule[]) => {
    op('result', 'Result', [name], [])
    const left = pruned(rewritten(ops, outs, rules, new Set(['result'])), ['result'])
    const producer = left.find((other) => other.name === left.at(-1)!.inputs[0])!
    return { left, text: `${producer.op}(${producer.inputs.join()})`, producer }
  }
  return { ops, outs, op, fill, by }
}
const X = 'Placeholder()'

test('a constant that is one repeated value keeps one value, by its bits', () => {
  const valuesOf = (values: Float32Array | Int32Array, dtype: number): number[] => {
    const { ops, by } = graph()
    ops.push(constant('c', { dtype, shape: [values.length], values }))
    const value = by('c', oneValue).producer.attributes.value!
    assert.ok('tensor' in value && String(value.tensor.shape) === String(values.length))
    return Array.from(value.tensor.values, Number)
  }
  assert.deepEqual(valuesOf(Float32Array.of(2, 2, 2), DT.float), [2])
  assert.deepEqual(valuesOf(Int32Array.of(7, 7), DT.int32), [7])
  assert.deepEqual(valuesOf(Float32Array.of(2, 2, 3), DT.float), [2, 2, 3])
  assert.deepEqual(valuesOf(Float32Array.of(0, -0), DT.float), [0, -0])
  assert.deepEqual(valuesOf(Float32Array.of(NaN, NaN), DT.float), [NaN])
})

test('ones and zeros like a tensor, and a fill with a constant, are constants', () => {
  for (const [kind, value] of [
    ['OnesLike', 1],
    ['ZerosLike', 0],
  ] as const) {
    const { op, by } = graph()
    op('full', kind, ['x'], [2, 3])
    const { tensor } = by('full', filled).producer.attributes.value as { tensor: { values: Float32Array } }
    assert.deepEqual([...tensor.values], [value])
  }
  const { op, fill, by } = graph()
  fill('value', 5, [])
  op('full', 'Fill', ['shape', 'value'], [2, 3])
  assert.equal(by('full', filled).text, 'Const()')
})

test('a cast to the type that is there goes, another one stays', () => {
  const { op, by } = graph()
  op('cast', 'Cast', ['x'], [2, 3])
  assert.equal(by('cast', sameType).text, X)
  const other = graph()
  other.op('cast', 'Cast', ['x'], [2, 3], { dtype: DT.int32 })
  assert.equal(other.by('cast', sameType).text, 'Cast(x)')
})

for (const kind of ['Reshape', 'BroadcastTo', 'Tile', 'Identity', 'Slice', 'Pad', 'Sum'])
  test(`a ${kind} that changes no shape goes, another one stays`, () => {
    const { op, by } = graph()
    op('same', kind, ['x'], [2, 3])
    assert.equal(by('same', sameShape).text, X)
    const other = graph()
    other.op('changed', kind, ['x'], [6, 1])
    assert.equal(other.by('changed', sameShape).text, `${kind}(x)`)
  })

test('reshapes of reshapes are one, and none where the first shape is the last', () => {
  const { op, by } = graph()
  op('a', 'Reshape', ['x'], [6])
  op('b', 'ExpandDims', ['a'], [1, 6])
  op('c', 'Squeeze', ['b'], [6])
  op('d', 'Reshape', ['c'], [3, 2])
  const { text, left } = by('d', reshapeOnce)
  assert.equal(text, 'Reshape(x,d/shape)')
  assert.deepEqual(
    left.map(({ op: kind }) => kind),
    ['Placeholder', 'Const', 'Reshape', 'Result'],
  )
  const there = graph()
  there.op('a', 'Reshape', ['x'], [6])
  there.op('b', 'Reshape', ['a'], [2, 3])
  assert.equal(there.by('b', reshapeOnce, sameShape).text, X)
})

/** What becomes of an op of a tensor and a constant of one value. */
const withConstant = (kind: string, value: number, [tensor, shape]: [string, number[]], first = false) => {
  const { op, fill, by } = graph()
  fill('c', value, shape)
  op('z', kind, first ? ['c', tensor] : [tensor, 'c'], [2, 3])
  return by('z', oneValue, neutral)
}

test('multiplications and divisions by one, additions and subtractions of zero go', () => {
  for (const shape of [[], [3], [2, 3]])
    for (const [kind, value] of [
      ['Mul', 1],
      ['RealDiv', 1],
      ['AddV2', 0],
      ['Sub', 0],
      ['Add', -0],
    ] as const) {
      assert.equal(withConstant(kind, value, ['x', shape]).text, X, `${kind} by ${value}[${shape}]`)
      assert.equal(withConstant(kind, value + 2, ['x', shape]).text, `${kind}(x,c)`)
    }
  assert.equal(withConstant('Mul', 1, ['x', []], true).text, X)
  assert.equal(withConstant('AddV2', 0, ['x', []], true).text, X)
})

test('one over x, and zero less x, stay', () => {
  assert.equal(withConstant('RealDiv', 1, ['x', []], true).text, 'RealDiv(c,x)')
  assert.equal(withConstant('Sub', 0, ['x', []], true).text, 'Sub(c,x)')
})

test('what is multiplied by larger ones, or added to larger zeros, is broadcast instead', () => {
  for (const [kind, value] of [
    ['Mul', 1],
    ['AddV2', 0],
  ] as const) {
    const { text, left } = withConstant(kind, value, ['v', [2, 3]])
    assert.equal(text, 'BroadcastTo(v,z/shape)')
    const shape = left.find(({ name }) => name === 'z/shape')!.attributes.value as {
      tensor: { values: Int32Array }
    }
    assert.deepEqual([...shape.tensor.values], [2, 3])
  }
})

test('a number made as large as the other operand is given as it is', () => {
  const { op, by } = graph()
  op('large', 'BroadcastTo', ['s'], [2, 3])
  op('z', 'Mul', ['large', 'x'], [2, 3])
  assert.equal(by('z', oneNumber).text, 'Mul(s,x)')
  const other = graph()
  other.fill('c', 4, [2, 3])
  other.op('z', 'Maximum', ['x', 'c'], [2, 3])
  const { text, left } = other.by('z', oneValue, oneNumber)
  assert.equal(text, 'Maximum(x,z/1)')
  assert.deepEqual(left.find(({ name }) => name === 'z/1')!.attributes.value, {
    tensor: { dtype: DT.float, shape: [], values: Float32Array.of(4) },
  })
})

test('a number stays as large as it was made where no other operand gives the result its shape', () => {
  const { op, fill, by } = graph()
  fill('c', 4, [2, 3])
  op('z', 'Mul', ['s', 'c'], [2, 3])
  assert.equal(by('z', oneValue, oneNumber).text, 'Mul(s,c)')
  const vector = graph()
  vector.op('large', 'BroadcastTo', ['v'], [2, 3])
  vector.op('z', 'Mul', ['large', 'x'], [2, 3])
  assert.equal(vector.by('z', oneNumber).text, 'Mul(large,x)')
})

test('equal ops on equal operands are one, all their outputs too', () => {
  const { op, by } = graph()
  op('a', 'Split', ['x'], [2, 3])
  op('b', 'Split', ['x'], [2, 3])
  op('c', 'Neg', ['a:1'], [2, 3])
  op('d', 'Neg', ['b:1'], [2, 3])
  op('z', 'Sub', ['c', 'd'], [2, 3])
  assert.equal(by('z', merging()).text, 'Sub(c,c)')
})

test('ops that differ in an attribute, and random ones, are not merged', () => {
  const axis = (value: number) => ({ axis: { op: { name: 'axis', type: 0, value }, kind: 'INT' } })
  const { op, by } = graph()
  op('a', 'Sum', ['x'], [2, 1], axis(1))
  op('b', 'Sum', ['x'], [2, 1], axis(0))
  op('z', 'Mul', ['a', 'b'], [2, 3])
  assert.equal(by('z', merging()).text, 'Mul(a,b)')
  const random = graph()
  random.op('a', 'RandomUniform', ['v'], [2, 3])
  random.op('b', 'RandomUniform', ['v'], [2, 3])
  random.op('z', 'Mul', ['a', 'b'], [2, 3])
  assert.equal(random.by('z', merging()).text, 'Mul(a,b)')
})

test('constants are merged where type, shape and bits are equal: 0 is not −0', () => {
  const merged = (a: number, b: number, shape: number[] = []): string => {
    const { op, fill, by } = graph()
    fill('a', a, [])
    fill('b', b, shape)
    op('z', 'Atan2', ['a', 'b'], [])
    return by('z', oneValue, merging()).text
  }
  assert.equal(merged(2, 2), 'Atan2(a,a)')
  assert.equal(merged(NaN, NaN), 'Atan2(a,a)')
  assert.equal(merged(0, -0), 'Atan2(a,b)')
  assert.equal(merged(2, 2, [1]), 'Atan2(a,b)')
})

test('what nothing depends on is dropped, also by name with output or as what must run before', () => {
  const { ops, op } = graph()
  op('a', 'Neg', ['x'], [2, 3])
  op('b', 'Neg', ['a:1', '^y'], [2, 3])
  op('dead', 'Neg', ['v'], [3])
  const left = pruned(ops, ['b']).map(({ name }) => name)
  assert.deepEqual(left, ['x', 'y', 'a', 'b'])
})

test('what is fetched, what runs after other ops, and what is of unknown shape stays as it is', () => {
  const { ops, outs, op } = graph()
  op('fetched', 'Identity', ['x'], [2, 3])
  op('after', 'Identity', ['x', '^fetched'], [2, 3])
  ops.push({ name: 'unknown', op: 'Reshape', inputs: ['after', 'v'], attributes: {} })
  op('z', 'Neg', ['unknown'], [2, 3])
  const left = rewritten(ops, outs, [sameShape, reshapeOnce], new Set(['fetched'])).map(({ name }) => name)
  assert.deepEqual(left.slice(-4), ['fetched', 'after', 'unknown', 'z'])
})

test('the passes work on each other’s results, and on what an op runs after', () => {
  const { ops, outs, op, fill } = graph()
  fill('ones', 1, [2, 3])
  op('a', 'Mul', ['x', 'ones'], [2, 3])
  op('b', 'Reshape', ['a'], [6])
  op('c', 'Reshape', ['b'], [2, 3])
  op('d', 'Cast', ['c'], [2, 3])
  op('z', 'Result', ['d', '^c'], [2, 3])
  assert.deepEqual(
    optimized(ops, outs, ['x', 'z']).map(({ name, inputs }) => `${name}(${inputs.join()})`),
    ['x()', 'z(x,^x)'],
  )
})

test('an op is a pass where it reads or writes a large tensor, whichever of its outputs that is', () => {
  const { ops, outs, op } = graph()
  op('reads', 'Sum', ['x'], [2])
  op('small', 'Neg', ['reads'], [2])
  op('writes', 'BroadcastTo', ['small'], [2, 4])
  op('second', 'Unpack', ['small', '^x'], [1])
  outs.set('second:1', { shape: [6], dtype: DT.float })
  op('view', 'Reshape', ['x'], [6])
  op('later', 'Neg', ['second:1'], [6])
  op('first', 'Neg', ['second'], [1])
  // reads, writes, second and later.
  assert.equal(largePasses(ops, outs, 6), 4)
})
