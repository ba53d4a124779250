import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { EXPORTS } from '../../shared/export/index.ts'
import { KNOWN } from '../../shared/known.ts'
import { liveGraphs } from './live-graphs.ts'

type Report = {
  readonly checks: Readonly<Record<string, number>>
  readonly missing: readonly string[]
  readonly problems: readonly string[]
}

/** Layers that go through the slow checks too: compiling, exporting, ONNX, `replace`. */
const SLOW = ['BN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0']
const RANDOM = { pytorch: 100, keras: 100, flax: 100 } as const

test('exported layers hold in half precision against float64; PyTorch scripts, compiles, exports, copies them', async (t) => {
  const random = liveGraphs(100).map(({ graph }, i) => ({ name: `random ${i}`, graph }))
  for (const target of ['pytorch', 'keras', 'flax'] as const)
    await t.test(EXPORTS[target].label, (t) => {
      const cases = [...KNOWN, ...random.slice(0, RANDOM[target])].map(({ name, graph }) => ({
        target,
        name,
        class: 'Exported',
        code: EXPORTS[target].generate(graph, 'Exported'),
        full: SLOW.includes(name),
      }))
      const script = fileURLToPath(new URL('../reference/exported_modes.py', import.meta.url))
      const python = process.env['NORMFORGE_PYTHON'] ?? 'python3'
      const { status, stdout, stderr, error } = spawnSync(python, [script], {
        input: JSON.stringify({ cases }),
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      })
      if (error) return t.skip(`no Python: ${error.message}`)
      if (/No module named 'numpy'/.test(stderr)) return t.skip('this Python has no numpy')
      assert.equal(status, 0, stderr)
      const { checks, missing, problems } = JSON.parse(stdout.split('\n').at(-1)!) as Report
      assert.deepEqual(problems, [])
      if (missing.length > 0) t.skip(`not installed: ${missing.join(', ')}`)
      else assert.ok(Object.values(checks).every((count) => count > 0) && Object.keys(checks).length > 3)
    })
})
