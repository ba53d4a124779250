import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawShapes } from '../../../../main/engine/data/shapes/index.ts'
import { createBatches, drawWishes } from '../../../../main/engine/tasks/synthesis/batches.ts'
import { createGan, type Gan } from '../../../../main/engine/tasks/synthesis/gan.ts'
import { createGenerator } from '../../../../main/engine/tasks/synthesis/generator.ts'
import { createDiscriminator } from '../../../../main/engine/tasks/synthesis/discriminator.ts'
import { knownLayer } from '../../../../shared/known.ts'
import { deviation } from '../../../reference/layers.ts'
import { synthesisConfig } from './config.ts'

// Adam without a first moment moves by the gradient's sign where there is no more than rounding to it: at these rates two
// ways of rounding stay together.
const config = synthesisConfig({ training: { generatorRate: 1e-5, discriminatorRate: 1e-5, batchSize: 4 } })
const { batchSize } = config.training
const { latent } = config.network
const set = drawShapes(40, 16, 'training')
const batches = createBatches(set, batchSize, 1)
const wishes = (...keys: (string | number)[]) => drawWishes(set, batchSize, latent, 'test', ...keys)

const create = (layer: string, eager: boolean): Gan =>
  createGan({ graph: knownLayer(layer).graph, config, classes: 10, seed: 3, eager })

/** What `state` is made of, in order: how many tensors each part has. */
const partsOf = (layer: string) => {
  const shape = { imageSize: 16, classes: 10, groups: config.training.groups, ...config.network }
  const [generator, discriminator] = [
    createGenerator(knownLayer(layer).graph, shape, 'g').weights.parameters,
    createDiscriminator(shape, 'd').weights.parameters,
  ]
  const sizes = {
    generator: generator.trainable.length,
    statistics: generator.statistics.length,
    discriminator: discriminator.trainable.length,
    directions: discriminator.statistics.length,
  }
  generator.dispose()
  discriminator.dispose()
  return (state: readonly Float32Array[]) => {
    let at = 0
    const next = (count: number): readonly Float32Array[] => state.slice(at, (at += count))
    return {
      generator: next(sizes.generator),
      statistics: next(sizes.statistics),
      discriminator: next(sizes.discriminator),
      directions: next(sizes.directions),
      average: next(sizes.generator),
    }
  }
}
const moved = (a: readonly Float32Array[], b: readonly Float32Array[]): number =>
  a.filter((values, i) => values.some((value, j) => value !== b[i]![j])).length / a.length

for (const layer of ['BN-ReLU', 'EvoNorm-B0', 'EvoNorm-S0'])
  test(`one step with ${layer}: all is finite, each network moves in its own step, the average follows`, () => {
    const gan = create(layer, true)
    const parts = partsOf(layer)
    const start = parts(gan.state())
    assert.ok(Number.isFinite(gan.discriminate(batches(0), wishes(1), 1)))
    const judged = parts(gan.state())
    // The gate of the attention starts at 0 and holds back its four weights.
    assert.ok(moved(start.discriminator, judged.discriminator) > 0.8)
    assert.ok(moved(start.directions, judged.directions) > 0.8)
    assert.equal(moved(start.generator, judged.generator), 0)

    assert.ok(Number.isFinite(gan.generate(wishes(2), 1)))
    const made = parts(gan.state())
    assert.equal(moved(judged.discriminator, made.discriminator), 0)
    // A bias before a norm may have no influence at all; everything else moves.
    assert.ok(moved(judged.generator, made.generator) > 0.8)

    gan.average(0.25)
    const { average, generator } = parts(gan.state())
    average.forEach((values, i) => {
      const wanted = values.map((_, j) => 0.25 * start.average[i]![j]! + 0.75 * generator[i]![j]!)
      assert.ok(deviation(values, Array.from(wanted)) < 1e-6)
    })
    gan.settle(wishes(3))
    const images = gan.sample(wishes(4))
    assert.equal(images.length, batchSize * 16 * 16 * 3)
    assert.ok(images.every((value) => Math.abs(value) <= 1))
    assert.ok(gan.state().every((values) => values.every(Number.isFinite)))
    gan.dispose()
  })

test('compiled steps equal eager ones, and a state taken goes on as if nothing had happened', () => {
  const steps = (gan: Gan, from: number, to: number): number[] => {
    const losses: number[] = []
    for (let step = from; step < to; step++) {
      losses.push(gan.discriminate(batches(step), wishes('d', step), step + 1))
      losses.push(gan.generate(wishes('g', step), step + 1))
      gan.average(0.5)
    }
    gan.settle(wishes('settle'))
    return losses
  }
  const [eager, compiled] = [create('BN-ReLU', true), create('BN-ReLU', false)]
  const losses = [eager, compiled].map((gan) => steps(gan, 0, 2)) as [number[], number[]]
  assert.ok(deviation(losses[1], losses[0]) < 1e-4, `${losses[1]} beside ${losses[0]}`)
  const images = [eager, compiled].map((gan) => gan.sample(wishes('s'))) as [Float32Array, Float32Array]
  const off = deviation(images[1], Array.from(images[0]))
  assert.ok(off < 5e-3, `images off by ${off}`)
  eager.dispose()

  const resumed = createGan({
    graph: knownLayer('BN-ReLU').graph,
    config,
    classes: 10,
    seed: 3,
    state: compiled.state(),
  })
  assert.deepEqual(steps(resumed, 2, 3), steps(compiled, 2, 3))
  assert.deepEqual(resumed.sample(wishes('s')), compiled.sample(wishes('s')))
  for (const gan of [resumed, compiled]) gan.dispose()
})

test('a state of other networks is refused', () => {
  const state = [new Float32Array(3)]
  assert.throws(
    () => createGan({ graph: knownLayer('BN-ReLU').graph, config, classes: 10, seed: 3, state }),
    /the checkpoint is of other networks/,
  )
})
