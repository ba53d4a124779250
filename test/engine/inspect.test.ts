/** `inspect`: formulas, programs, plans and recorded graphs are those that the engine runs. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { formulasOf } from '../../main/engine/inspect/formulas.ts'
import {
  bytesKept,
  passLines,
  planLines,
  plansOf,
  programLines,
  sweepsIn,
} from '../../main/engine/inspect/listings.ts'
import { recordedStep } from '../../main/engine/inspect/recorded.ts'
import { hasKernels } from '../../main/engine/kernels.ts'
import { PRESETS } from '../../shared/catalog.ts'
import { parseFormula } from '../../shared/formula.ts'
import { KNOWN, knownLayer } from '../../shared/known.ts'
import { sweepsOf } from '../../shared/symbolic/plan.ts'
import { cli } from '../main/cli.ts'

const swish = parseFormula('x * sigmoid(v1 * x)')

test('a derivative is written as formulas, what is used more than once by name', () => {
  assert.deepEqual(formulasOf(swish), [
    't6 = sigmoid(x * v1)',
    't7 = x * t6',
    'y = t7 * gamma + beta',
    't15 = sigmoidGrad(t6, x * dy)',
    'dx = t6 * dy * gamma + t15 * v1 * gamma',
    'dv1 = gamma * sum_n(sum_hw(x * t15))',
    'dgamma = sum_n(sum_hw(dy * t7))',
    'dbeta = sum_n(sum_hw(dy))',
    'dv0 = 0',
  ])
})

/** Names in a line's right side that stand for tensors. */
const namesIn = (text: string): string[] => text.match(/\bt\d+\b|\b(x|v[01]|gamma|beta|dy)\b/g) ?? []

test('no line of a formula or a program uses what none before it gives, whatever the layer', () => {
  const given = ['x', 'v0', 'v1', 'gamma', 'beta', 'dy']
  for (const { name, graph } of KNOWN) {
    const known = new Set(given)
    for (const line of formulasOf(graph)) {
      const [left, right] = line.split(' = ') as [string, string]
      for (const used of namesIn(right)) assert.ok(known.has(used), `${name}: ${used} in ${line}`)
      known.add(left)
    }
    assert.ok(known.has('dx') && known.has('y'), name)
    const made = new Set(given)
    for (const line of programLines(graph).filter((line) => line.startsWith('  '))) {
      const [, left, right] = /^ {2}(\S+) +\[.*?\] +(.*)$/.exec(line)!
      for (const used of namesIn(right!)) assert.ok(made.has(used), `${name}: ${used} in ${line}`)
      made.add(left!)
    }
  }
})

test('passes are those of the plans, and say what is read, written and kept', () => {
  for (const { name, graph } of KNOWN) {
    const plans = Object.values(plansOf(graph))
    assert.equal(
      sweepsIn(graph).length,
      plans.reduce((sum, plan) => sum + sweepsOf(plan), 0),
      name,
    )
    assert.equal(planLines(graph).filter((line) => line.includes('  blocks  ')).length > 0, true)
  }
  assert.deepEqual(passLines(swish), [
    'forward, pass 1: reads 1, writes 1 of [n, h, w, c]',
    'backward, pass 1: reads 2, writes 1 of [n, h, w, c]',
    'inference, pass 1: reads 1, writes 1 of [n, h, w, c]',
    'kept from forward to backward: x [n, h, w, c], v1 [c], gamma [c]',
  ])
  // x of 2 · 4 · 4 · 8 numbers, two vectors of 8, 4 bytes each.
  assert.deepEqual(bytesKept(swish, [[2, 4, 4, 8]]), { x: 1024, others: 64 })
})

type GraphDef = { getNodeList(): { getName(): string; getOp(): string; getInputList(): string[] }[] }
const { GraphDef } = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu/dist/proto/api_pb.js') as {
  GraphDef: { deserializeBinary(bytes: Uint8Array): GraphDef }
}

test('the recorded step is a whole GraphDef, with the layer at every site', () => {
  const { architectures, training, data } = PRESETS.demo.config
  const { graph } = knownLayer('EvoNorm-S0')
  const { ops, bytes, sites } = recordedStep(architectures[0]!, graph, {
    training,
    imageSize: data.imageSize,
  })
  const nodes = GraphDef.deserializeBinary(bytes).getNodeList()
  assert.deepEqual(
    nodes.map((node) => [node.getName(), node.getOp()]),
    ops.map(({ name, op }) => [name, op]),
  )
  const names = new Set(nodes.map((node) => node.getName()))
  for (const node of nodes)
    for (const input of node.getInputList())
      assert.ok(names.has(input.replace(/^\^|:\d+$/g, '')), `${node.getName()} <- ${input}`)
  assert.equal(ops.filter(({ op }) => op === 'ResourceApplyMomentum').length > 0, true, 'it trains')
  if (!hasKernels()) return assert.equal(sites, null)
  const [first] = sites!
  assert.deepEqual(first!.slice(0, 3), [training.batchSize, data.imageSize, data.imageSize])
  // Forward and backward of each.
  assert.equal(ops.filter(({ op }) => op === 'NormForgeProgram').length, 2 * sites!.length)
})

test('the command line shows each of them, and writes the graph into a file', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'normforge-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'graph.pb')
  const [derivative, plan, graph, refused, unwritable] = await Promise.all([
    cli(['inspect', 'bn-relu']),
    cli(['inspect', 'EvoNorm-S0', '--what', 'plan']),
    cli(['inspect', 'BN-ReLU', '--what', 'graph', '--out', file]),
    cli(['inspect', 'BN-ReLU', '--out', file]),
    cli(['inspect', 'BN-ReLU', '--what', 'graph', '--out', path.join(folder, 'none', 'graph.pb')]),
  ])
  assert.match(derivative.out, /^BN-ReLU: .*\n(.*\n)*dx = /)
  assert.match(plan.out, /\n {2}phase 0, 1 kept for each sample\n/)
  assert.match(graph.err, /graph\.pb: \d+ nodes, a GraphDef/)
  assert.ok(GraphDef.deserializeBinary(readFileSync(file)).getNodeList().length > 50)
  assert.deepEqual(
    [refused.code, refused.err],
    [1, 'normforge: --out: needs --what graph, got --what derivative\n'],
  )
  assert.equal(unwritable.code, 1)
  assert.match(unwritable.err, /normforge: --out: .*none/)
})
