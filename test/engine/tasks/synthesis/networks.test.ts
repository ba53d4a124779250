import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { isUniform } from '../../../../main/engine/jit/passes/constants.ts'
import type { Parameters } from '../../../../main/engine/parameters.ts'
import type { Variable } from '../../../../main/engine/runtime.ts'
import { createDiscriminator } from '../../../../main/engine/tasks/synthesis/discriminator.ts'
import { createGan } from '../../../../main/engine/tasks/synthesis/gan.ts'
import { createGenerator } from '../../../../main/engine/tasks/synthesis/generator.ts'
import { knownLayer } from '../../../../shared/known.ts'
import { deviation } from '../../../reference/layers.ts'
import { drawn } from '../../../reference/networks.ts'
import { synthesisConfig } from './config.ts'

type Step = { readonly loss: number; readonly sums: number[] }
const { config: C, cases } = JSON.parse(
  readFileSync(new URL('../../../reference/gan.json', import.meta.url), 'utf8'),
) as {
  config: Record<'channels' | 'latent' | 'embedding' | 'attention' | 'batch' | 'orthogonal', number>
  cases: { layer: string; images: number; discriminator: Step; generator: Step }[]
}
const CLASSES = 10
const config = synthesisConfig({
  data: { imageSize: 32 },
  network: {
    channels: C.channels,
    latent: C.latent,
    sharedEmbedding: C.embedding,
    attention: C.attention,
  },
  // With β₁ = 0, Adam's first moment is the gradient; with a rate of 0 both steps have the same weights.
  training: {
    batchSize: C.batch,
    orthogonal: C.orthogonal,
    beta1: 0,
    generatorRate: 0,
    discriminatorRate: 0,
    groups: 8,
  },
})

/** The values of gan.py's `draw`: matrices, vectors around where they start, directions; moving statistics stay. */
const drawTrainable = (variable: Variable, number: number): Float32Array => {
  const { shape, size, rank } = variable
  const scale = Math.sqrt((3 * shape.at(-1)!) / size)
  const start = variable.dataSync()[0]!
  return drawn(size, number).map((value) => (rank >= 2 ? scale * value : value / 4 + start))
}
const drawState = ({ trainable, statistics }: Parameters, offset: number): Float32Array[] => {
  let directions = 0
  const kept = statistics.map((variable) => {
    const values = variable.dataSync<'float32'>().slice()
    return values.length > 1 && isUniform(values)
      ? values
      : drawn(values.length, offset + 5000 + directions++)
  })
  return [...trainable.map((variable, i) => drawTrainable(variable, offset + i)), ...kept]
}
const labels = (factor: number): Int32Array =>
  Int32Array.from({ length: C.batch }, (_, n) => (n * factor) % CLASSES)

for (const reference of cases)
  test(`a step of the discriminator and one of the generator with ${reference.layer} equal PyTorch`, () => {
    const { graph } = knownLayer(reference.layer)
    const shape = { imageSize: 32, classes: CLASSES, groups: 8, ...config.network }
    const generator = createGenerator(graph, shape, 'g').weights.parameters
    const discriminator = createDiscriminator(shape, 'd').weights.parameters
    const made = drawState(generator, 0)
    const slots = [...generator.trainable, ...discriminator.trainable].flatMap(({ size }) => [
      new Float32Array(size),
      new Float32Array(size),
    ])
    const state = [...made, ...drawState(discriminator, 500), ...made, ...slots]
    const gan = createGan({ graph, config, classes: CLASSES, seed: 1, state, eager: true })

    const latents = (number: number) =>
      drawn(C.batch * C.latent, reference.images + number).map((value) => 2 * value)
    const images = drawn(C.batch * 32 * 32 * 3, reference.images)
    const losses = {
      discriminator: gan.discriminate(
        { images, labels: labels(3) },
        { latents: latents(1), labels: labels(7) },
        1,
      ),
      generator: gan.generate({ latents: latents(2), labels: labels(1) }, 1),
    }
    const gradients = gan
      .state()
      .slice(-slots.length)
      .filter((_, i) => i % 2 === 0)
    const sums = gradients.map((values, i) => {
      const number = i < generator.trainable.length ? i : i - generator.trainable.length
      return drawn(values.length, number + 2000).reduce((sum, w, j) => sum + w * values[j]!, 0)
    })
    gan.dispose()
    const split = generator.trainable.length
    for (const parameters of [generator, discriminator]) parameters.dispose()
    for (const [name, got] of [
      ['discriminator', sums.slice(split)],
      ['generator', sums.slice(0, split)],
    ] as const) {
      const wanted = reference[name]
      const off = [deviation([losses[name]], [wanted.loss]), deviation(got, wanted.sums)]
      assert.ok(Math.max(...off) < 1e-4, `${name}: loss off by ${off[0]}, gradients by ${off[1]}`)
    }
  })
