import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'

/** Runs layers forward and backward many times in a process of its own and prints a hash of the results. */
const PROGRAM = `
import { createHash } from 'node:crypto'
import { loadRuntime } from './main/engine/runtime.ts'
import { createParameters } from './main/engine/parameters.ts'
import { createLayer } from './main/engine/layer.ts'
import { registerGradients } from './main/engine/gradients/index.ts'
import { knownLayer } from './shared/known.ts'

const { tf } = loadRuntime({ threads: Number(process.argv[1]) })
registerGradients()
const hash = createHash('sha256')
for (const [name, batch, side, channels] of [['BN-ReLU', 7, 9, 24], ['EvoNorm-B0', 64, 4, 16], ['EvoNorm-S0', 1, 8, 8]]) {
  const layer = createLayer(knownLayer(name).graph, channels, 4, createParameters('threads'))
  const x = tf.randomNormal([batch, side, side, channels], 0, 1, 'float32', 1)
  for (let i = 0; i < 40; i++)
    tf.tidy(() => {
      const { value, grad } = tf.valueAndGrad((x) => layer(x, { training: true }))(x, x)
      hash.update(value.dataSync()).update(grad.dataSync())
    })
}
console.log(hash.digest('hex'))
`

const hashWith = (threads: number): string => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', PROGRAM, String(threads)],
    { encoding: 'utf8', env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' } },
  )
  assert.equal(status, 0, stderr)
  return stdout.trim()
}

test('layers and their gradients are the same to the last bit, whatever the number of threads', () => {
  const one = hashWith(1)
  assert.match(one, /^[0-9a-f]{64}$/)
  for (const threads of [2, 5]) assert.equal(hashWith(threads), one)
})
