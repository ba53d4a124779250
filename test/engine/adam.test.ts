import assert from 'node:assert/strict'
import { test } from 'node:test'
import { applyAdam, createMoments } from '../../main/engine/adam.ts'
import { createProgram } from '../../main/engine/jit/program.ts'
import { loadRuntime } from '../../main/engine/runtime.ts'

const { tf } = loadRuntime()
const GRADIENTS = [
  [0.5, -2],
  [-0.1, 0],
  [3, 1e-4],
]
const RATE = 0.01

/** θ after each step, in double precision, by the paper's algorithm 1: with bias-corrected moments. */
const byPaper = (beta1: number, beta2: number): number[][] => {
  const [m, v, theta] = [
    [0, 0],
    [0, 0],
    [1, -1],
  ] as [number[], number[], number[]]
  return GRADIENTS.map((gradient, t) =>
    theta.map((_, i) => {
      const g = gradient[i]!
      m[i] = beta1 * m[i]! + (1 - beta1) * g
      v[i] = beta2 * v[i]! + (1 - beta2) * g * g
      const [first, second] = [m[i]! / (1 - beta1 ** (t + 1)), v[i]! / (1 - beta2 ** (t + 1))]
      theta[i]! -= (RATE * first) / (Math.sqrt(second) + 1e-8)
      return theta[i]!
    }),
  )
}

for (const [beta1, beta2] of [
  [0, 0.999],
  [0.9, 0.99],
] as const)
  for (const eager of [true, false])
    test(`Adam with β₁ = ${beta1}, β₂ = ${beta2}, ${eager ? 'eager' : 'compiled'}, follows the paper`, () => {
      const theta = tf.variable(tf.tensor1d([1, -1]))
      const moments = createMoments(theta)
      const scalar = { shape: [], dtype: 'float32' } as const
      const program = createProgram(
        [theta, moments.first, moments.second],
        {
          step: {
            inputs: [{ shape: [2], dtype: 'float32' }, scalar, scalar, scalar],
            step: (gradient, rate, power1, power2) => {
              const step = { rate: rate!, power1: power1!, power2: power2! }
              applyAdam(theta, moments, gradient!, step, { beta1, beta2 })
              return [rate!.mul(1)]
            },
          },
        },
        { eager },
      )
      const got = GRADIENTS.map((gradient, t) => {
        const scalars = [RATE, beta1 ** (t + 1), beta2 ** (t + 1)].map((value) => tf.scalar(value))
        program.run('step', tf.tensor1d(gradient), ...scalars)
        return [...program.read(theta).dataSync()]
      })
      program.dispose()
      byPaper(beta1, beta2).forEach((row, t) =>
        row.forEach((value, i) => {
          // The paper's faster form puts ε beside an uncorrected √v: tiny gradients feel it.
          assert.ok(Math.abs(got[t]![i]! - value) < 3e-5, `step ${t + 1}: ${got[t]![i]}, not ${value}`)
        }),
      )
    })
