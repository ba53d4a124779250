import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import katex from 'katex'
import { EXPORTS, EXPORT_TARGETS } from '../../shared/export/index.ts'
import { className } from '../../shared/export/names.ts'
import { parseFormula } from '../../shared/formula.ts'
import type { Graph } from '../../shared/graph.ts'
import { KNOWN, knownLayer } from '../../shared/known.ts'
import { OP_NAMES, OPS } from '../../shared/ops.ts'
import { parseGraph } from '../../shared/rules.ts'
import { deviation, graphOf, LAYERS, type LayerCase } from '../reference/layers.ts'
import { worstLayers } from './adversary.ts'
import { liveGraphs, slopeDeviation, type LiveGraph } from './live-graphs.ts'

const CODE = ['pytorch', 'keras', 'flax', 'tfjs'] as const
const PYTHON = ['pytorch', 'keras', 'flax'] as const

test('every target writes every op', () => {
  for (const op of OP_NAMES)
    for (const target of EXPORT_TARGETS) {
      const graph: Graph = {
        version: 1,
        nodes: [{ op, inputs: [0, 3].slice(0, OPS[op].arity) }],
        affine: true,
      }
      assert.doesNotMatch(EXPORTS[target].generate(graph, op), /undefined|NaN|\[object/)
    }
})

test('only the vectors, statistics and helpers that a layer uses are written', () => {
  /** The file without the comment that opens it. */
  const code = (target: (typeof CODE)[number], name: string): string =>
    EXPORTS[target].generate(knownLayer(name).graph, name).replace(/^("{3}[\s\S]*?"{3}|\/\*[\s\S]*?\*\/)/, '')
  for (const target of CODE) {
    const s1 = code(target, 'EvoNorm-S1')
    assert.doesNotMatch(s1, /v0|v1|moving_|batch_|maximum|divide|signed/)
    assert.match(s1, /gamma/)
    const bn = code(target, 'BN-ReLU')
    assert.doesNotMatch(bn, /gamma|beta|grouped|self\.groups/)
    assert.match(bn, /v0[\s\S]*moving_mean[\s\S]*moving_variance/)
  }
})

test('a denominator that can vanish is guarded, one with a root under it is not', () => {
  assert.match(EXPORTS.pytorch.generate(parseFormula('x / v1'), 'a'), /f = divide\(x, v1, self\.eps\)/)
  assert.match(EXPORTS.pytorch.generate(parseFormula('x / std_hw(x)'), 'a'), /f = x \/ std_hw\n/)
})

test('EvoNorm-S0 reads as its formula', () => {
  const code = EXPORTS.pytorch.generate(knownLayer('EvoNorm-S0').graph, 'EvoNorm-S0')
  assert.match(code, /^ {4}y = gamma \* \(x \* sigmoid\(v1 \* x\) \/ std_hwg\(x\)\) \+ beta$/m)
  assert.match(code, /^ {8}f = torch\.sigmoid\(v1 \* x\) \* x \/ std_hwg$/m)
})

test('JSON reads back as the same graph', () => {
  for (const { graph } of liveGraphs(5))
    assert.deepEqual(parseGraph(EXPORTS.json.generate(graph, 'a'), 'test'), graph)
})

test('LaTeX of known and random layers is an equation that KaTeX sets without complaint', () => {
  const graphs = [...[...KNOWN, ...liveGraphs(20)].map(({ graph }) => graph), ...worstLayers()]
  for (const graph of graphs) {
    const text = EXPORTS.latex.generate(graph, 'a layer')
    const [, equation] = /^(?:%.*\n)+\\begin\{equation\}\n {2}(.*y = .*)\n\\end\{equation\}\n$/.exec(text)!
    assert.doesNotThrow(
      () => katex.renderToString(equation!, { throwOnError: true, strict: 'error' }),
      equation,
    )
  }
})

test('names of layers become names of classes and files, and cannot end a comment', () => {
  assert.deepEqual(
    EXPORT_TARGETS.map((target) => EXPORTS[target].fileName('EvoNorm-S0')),
    [
      'evonorm_s0.py',
      'evonorm_s0_keras.py',
      'evonorm_s0_flax.py',
      'evonorm-s0.js',
      'evonorm-s0.tex',
      'evonorm-s0.json',
    ],
  )
  assert.equal(EXPORTS.pytorch.fileName('lambda'), 'lambda_layer.py')
  assert.equal(EXPORTS.json.fileName('#12'), 'layer-12.json')
  assert.equal(className('none'), 'NoneLayer')
  assert.equal(className('EvoNorm-S0'), 'EvoNormS0')
  assert.equal(className('41 é "x"'), 'Layer41EX')
  assert.equal(className('…'), 'Layer')
  const name = 'a"""\n*/ import os \\'
  for (const target of CODE)
    assert.doesNotMatch(
      EXPORTS[target].generate(knownLayer('LN-ReLU').graph, name),
      /a"""|\*\/ import os|a\s*\n\s*import os/,
    )
})

/** What a file of Python (on stdin) uses or defines, by name. */
const IDENTIFIERS = `
import ast, json, sys
tree = ast.parse(sys.stdin.read())
print(json.dumps([node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]))
`
/** Keywords, soft ones too, built-ins and modules of one word. */
const WORDS = `
import builtins, json, keyword, sys
print(json.dumps([*keyword.kwlist, *keyword.softkwlist, *dir(builtins), *(m for m in sys.stdlib_module_names if '_' not in m)]))
`
const python = (code: string, input: string): string => {
  const { stdout, stderr, status } = spawnSync('python3', ['-c', code], { input, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  return stdout
}
/** A layer that uses every helper and constant. */
const LARGE = parseFormula(
  'max(std_nhw(x), log(x)) / v1 + sqrt(std_hwc(x)) * mean_hw(x) / rms_hwg(x) * tanh(x) + exp(exp(exp(exp(1))))',
)

test('no word of Python or JavaScript, nor of the exported file itself, is taken for a class or a file', () => {
  const words = JSON.parse(python(WORDS, '')) as string[]
  const code = EXPORTS.tfjs.generate(LARGE, 'SomeLayer').replace(/\/\*[\s\S]*?\*\//g, '')
  const used = new Set([
    ...PYTHON.flatMap(
      (t) => JSON.parse(python(IDENTIFIERS, EXPORTS[t].generate(LARGE, 'SomeLayer'))) as string[],
    ),
    ...(code.match(/(?<![\w.$])[A-Za-z]\w*/g) ?? []),
    ...['True', 'False', 'None'],
  ])
  used.delete('SomeLayer')
  const names = [
    ...words,
    ...Object.getOwnPropertyNames(globalThis),
    ...used,
    'torch',
    'keras',
    'flax',
    'jax',
  ]
  for (const name of names) {
    assert.ok(!used.has(className(name)), className(name))
    for (const target of EXPORT_TARGETS) {
      const [stem] = EXPORTS[target].fileName(name).split('.')
      assert.ok(!words.includes(stem!), `${target}: ${stem}`)
    }
  }
})

type Python = (typeof PYTHON)[number]
/** What test/reference/exported.py gives for a case: tensors by name. */
type Result = Readonly<Record<string, number[]>>
type Run = { readonly targets: Record<Python, string | null>; readonly results: (Result | null)[] }
type Case = { readonly target: Python; readonly of: LayerCase | LiveGraph; readonly keep: boolean }

const BN = LAYERS.cases.find(({ name }) => name === 'BN-ReLU')!
const casesOf = (target: Python, live: readonly LiveGraph[]): Case[] => [
  { target, of: BN, keep: true },
  // Eager Keras and Flax take some 100 ms a layer.
  ...LAYERS.cases
    .filter(({ known }) => known || target === 'pytorch')
    .map((of) => ({ target, of, keep: false })),
  ...live.slice(0, target === 'pytorch' ? live.length : 10).map((of) => ({ target, of, keep: false })),
]

const runExported = (cases: readonly Case[]): Run | string => {
  const { shape, groups, x, x2, dy, v0, v1, gamma, beta } = LAYERS
  const input = cases.map(({ target, of, keep }) => {
    const graph = 'graph' in of ? of.graph : graphOf(of)
    const code = EXPORTS[target].generate(graph, 'Exported')
    const images = 'graph' in of ? { x, x2: x } : { x: LAYERS[of.input], x2 }
    return { target, class: 'Exported', code, keep, v0, v1, gamma, beta, ...images, dy }
  })
  const script = fileURLToPath(new URL('../reference/exported.py', import.meta.url))
  const { status, stdout, stderr, error } = spawnSync(
    process.env['NORMFORGE_PYTHON'] ?? 'python3',
    [script],
    {
      input: JSON.stringify({ shape, groups, cases: input }),
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    },
  )
  if (error) return `no Python: ${error.message}`
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout) as Run
}

const FIELDS = ['y', 'dx', 'dv0', 'dv1', 'dgamma', 'dbeta', 'inference'] as const

const compareReference = (reference: LayerCase, result: Result): void => {
  for (const field of FIELDS) {
    const wanted = reference[field]
    if (!wanted) continue
    const got = result[field] ?? wanted.map(() => 0)
    assert.ok(deviation(got, wanted) < 1e-4, `${reference.name}: ${field} off by ${deviation(got, wanted)}`)
  }
}

const compareLive = (live: LiveGraph, result: Result): void => {
  const layer = EXPORTS.json.generate(live.graph, '')
  assert.ok(deviation(result['y']!, live.y) < 1e-4, `output of ${layer}`)
  // With the same batch's statistics as moving averages, inference repeats training.
  assert.ok(deviation(result['inference']!, live.y) < 1e-4, `inference of ${layer}`)
  const off = slopeDeviation(live, (leaf) => result[`d${leaf}`])
  assert.ok(off < 1e-4, `gradient of ${layer}: off by ${off}`)
}

/** After one batch the moving averages have gone a tenth of the way from where they start, 0 and 1. */
const compareKept = (result: Result): void => {
  const channels = LAYERS.shape[3]
  const means = LAYERS.gamma.map((_, c) => mean(LAYERS.x.filter((_, i) => i % channels === c)))
  const variances = LAYERS.gamma.map((_, c) =>
    mean(LAYERS.x.filter((_, i) => i % channels === c).map((x) => (x - means[c]!) ** 2)),
  )
  assert.ok(
    deviation(
      result['moving_mean']!,
      means.map((m) => 0.1 * m),
    ) < 1e-6,
  )
  assert.ok(
    deviation(
      result['moving_variance']!,
      variances.map((v) => 0.9 + 0.1 * v),
    ) < 1e-6,
  )
}
const mean = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length

test('exported Python layers give the same numbers, forward, backward and at inference', async (t) => {
  const live = liveGraphs(30)
  const cases = PYTHON.flatMap((target) => casesOf(target, live))
  const run = runExported(cases)
  for (const target of PYTHON) {
    const missing =
      typeof run === 'string' ? run : run.targets[target] === null && `this Python has no ${target}`
    await t.test(
      `${EXPORTS[target].label} (${cases.filter((c) => c.target === target).length} layers)`,
      { skip: missing },
      () => {
        const { results } = run as Run
        for (const [i, { target: own, of, keep }] of cases.entries()) {
          if (own !== target) continue
          if (keep) compareKept(results[i]!)
          else if ('graph' in of) compareLive(of, results[i]!)
          else compareReference(of, results[i]!)
        }
      },
    )
  }
})
