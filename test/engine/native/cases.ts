/** Cases for run.cc beside this file: random plans and depthwise gradients on awkward sizes, with their plain meaning. */
import { compileLayer, type Piece } from '../../../main/engine/lowering/compiled.ts'
import { suitsKernel } from '../../../main/engine/lowering/kernel.ts'
import { randomLayer } from '../../../main/search/mutate.ts'
import type { Graph } from '../../../shared/graph.ts'
import type { Shape } from '../../../shared/interpret.ts'
import { KNOWN } from '../../../shared/known.ts'
import { createRandom } from '../../../shared/random.ts'
import type { Size } from '../../../shared/symbolic/program.ts'
import { planText } from '../../../shared/symbolic/plan.ts'
import { schedule } from '../../../shared/symbolic/schedule.ts'
import { runProgram } from '../../shared/run-program.ts'

export type NativeCase = {
  readonly name: string
  readonly bytes: Buffer
  /** Outputs by the program's plain meaning in float64, one after another. */
  readonly expected: readonly Float64Array[]
  /** How far from that they may be, in parts of the largest number; null: not compared. */
  readonly tolerance: number | null
}

/** From float64: the rounding of sums over a whole sample. */
const CLOSE = 5e-5
/** The bound for a single number, whose deviations are rounding errors divided by ε. */
const LOOSE = 5e-3
/** null: no numbers have no means to compare. */
const toleranceOn = (numbers: number): number | null => (numbers === 0 ? null : numbers === 1 ? LOOSE : CLOSE)

/** No image, one pixel, one channel; less than, no multiple of, and more than a vector and a block (512 numbers) have. */
const SHAPES: readonly (readonly [shape: Shape, groups: number])[] = [
  [[0, 3, 3, 4], 2],
  [[1, 1, 1, 1], 1],
  [[2, 3, 5, 1], 1],
  [[1, 7, 9, 3], 3],
  [[5, 4, 4, 8], 2],
  [[3, 13, 11, 12], 4],
  [[2, 17, 3, 17], 17],
  [[4, 2, 3, 33], 3],
  [[2, 3, 1, 520], 8],
  [[7, 33, 32, 2], 1],
]

const random = createRandom('native')
const drawn = (length: number): Float32Array => Float32Array.from({ length }, () => random.normal())
const bytesOf = (numbers: readonly number[]): Buffer => Buffer.from(Int32Array.from(numbers).buffer)

const lengthIn = ([n, h, w, c]: Shape, size: Size): number =>
  ({ scalar: 1, c, n, nc: n * c, full: n * h * w * c })[size]
/** Where an element of the full shape lies in a tensor of a size. */
const indexIn = ([, h, w, c]: Shape, size: Size, i: number): number => {
  const [sample, channel] = [Math.floor(i / (h * w * c)), i % c]
  return { scalar: 0, c: channel, n: sample, nc: sample * c + channel, full: i }[size]
}

/** The pieces of a layer on a shape; what the forward saves for the backward is its plain meaning. */
const planCases = (
  name: string,
  graph: Graph,
  shape: Shape,
  groups: number,
  draw = drawn,
  tolerance = toleranceOn(lengthIn(shape, 'full')),
): NativeCase[] => {
  const { training, backward, inference } = compileLayer(graph, 0.9)
  const given = new Map<number, Float32Array>()
  const caseOf = (piece: Piece, what: string): NativeCase | null => {
    const { instructions, sizes, inputs, outputs } = piece
    const lengthOf = (tensor: number): number => lengthIn(shape, sizes.get(tensor)!)
    for (const input of inputs) {
      if (given.has(input)) continue
      const values = draw(lengthOf(input))
      given.set(input, sizes.get(input) === 'full' ? values : values.map((v) => Math.abs(1 + v) + 0.1))
    }
    const bound = new Map<number, Float64Array>()
    for (const input of inputs) {
      const values = given.get(input)!
      const spread = { length: lengthIn(shape, 'full') }
      bound.set(
        input,
        Float64Array.from(spread, (_, i) => values[indexIn(shape, sizes.get(input)!, i)]!),
      )
    }
    runProgram(instructions, sizes, shape, groups, bound)
    const gathered = (tensor: number): Float64Array => {
      const result = new Float64Array(lengthOf(tensor))
      bound.get(tensor)!.forEach((value, i) => (result[indexIn(shape, sizes.get(tensor)!, i)] = value))
      return result
    }
    if (what === 'training')
      for (const tensor of bound.keys())
        if (!given.has(tensor)) given.set(tensor, Float32Array.from(gathered(tensor)))
    if (!suitsKernel(piece)) return null
    const text = Buffer.from(planText(schedule(instructions, sizes, inputs, outputs)))
    const [n, h, w, c] = shape
    const lengths = [...inputs, ...outputs].map(lengthOf)
    const head = bytesOf([0, text.length, n, h * w, c, groups, inputs.length, outputs.length, ...lengths])
    const values = inputs.map((input) => Buffer.from(given.get(input)!.buffer))
    const title = `${name}, ${what}, on [${shape}] in ${groups} groups`
    const bytes = Buffer.concat([head, text, ...values])
    return { name: title, bytes, expected: outputs.map(gathered), tolerance }
  }
  const forward = caseOf(training, 'training')
  const back = caseOf(backward, 'backward')
  given.clear()
  return [forward, back, caseOf(inference, 'inference')].filter((made) => made !== null)
}

/** What a network that diverges gives: what is not finite, too small, or negative zero. */
const WILD = [NaN, Infinity, -Infinity, -0, 1e-42, -1e-42, 3e38, -3e38, 1e-30, -90, 90, 0]
/** The known layers, and random ones, on every shape. */
export const layerCases = (randomLayers: number): NativeCase[] => {
  const wild = (length: number): Float32Array => Float32Array.from({ length }, () => random.pick(WILD))
  const layers = [
    ...KNOWN,
    ...Array.from({ length: randomLayers }, (_, i) => ({
      name: `random layer ${i}`,
      graph: randomLayer('B', random),
    })),
  ]
  return layers.flatMap(({ name, graph }) => [
    ...SHAPES.flatMap(([shape, groups]) => planCases(name, graph, shape, groups)),
    ...planCases(`${name} of wild numbers`, graph, [2, 5, 7, 12], 4, wild, null),
  ])
}

/** Sizes [n, h, w, c] of depthwise convolutions: none, one, and no multiples of the 8 and 16 channels taken at once. */
const DEPTHWISE: readonly Shape[] = [
  [0, 4, 4, 8],
  [2, 4, 4, 0],
  [1, 1, 1, 1],
  [2, 5, 7, 3],
  [1, 2, 2, 16],
  [3, 9, 8, 21],
  [2, 6, 11, 40],
]

export const depthwiseCases = (): NativeCase[] =>
  DEPTHWISE.flatMap(([n, h, w, c]) =>
    [3, 5].flatMap((kernel) =>
      [1, 2, 3].map((stride) => {
        const [p, q] = [Math.ceil(h / stride), Math.ceil(w / stride)]
        const before = (from: number, to: number): number =>
          Math.floor(Math.max(0, (to - 1) * stride + kernel - from) / 2)
        const [top, left] = [before(h, p), before(w, q)]
        const [x, dy] = [drawn(n * h * w * c), drawn(n * p * q * c)]
        const sums = new Float64Array(kernel * kernel * c)
        dy.forEach((value, i) => {
          const channel = i % c
          const [column, row] = [Math.floor(i / c) % q, Math.floor(i / (c * q)) % p]
          const sample = Math.floor(i / (c * q * p))
          for (let k = 0; k < kernel * kernel; k++) {
            const [y, z] = [
              row * stride - top + Math.floor(k / kernel),
              column * stride - left + (k % kernel),
            ]
            if (y < 0 || y >= h || z < 0 || z >= w) continue
            sums[k * c + channel]! += value * x[((sample * h + y) * w + z) * c + channel]!
          }
        })
        const head = bytesOf([1, kernel, n, h, w, c, p, q, stride, top, left])
        return {
          name: `depthwise ${kernel}×${kernel}/${stride} on [${[n, h, w, c]}]`,
          bytes: Buffer.concat([head, Buffer.from(x.buffer), Buffer.from(dy.buffer)]),
          expected: [sums],
          tolerance: CLOSE,
        }
      }),
    ),
  )
