import { deriveSecond } from '../../../shared/derivative.ts'
import type { Graph } from '../../../shared/graph.ts'
import type { LayerInput } from '../../../shared/symbolic/forward.ts'
import { loadRuntime, type Tensor } from '../runtime.ts'
import type { Compiled, Piece } from './compiled.ts'
import { runByKernel, suitsKernel } from './kernel.ts'

/** What a layer with second derivatives runs; every piece starts from the layer's inputs, nothing is saved between. */
export type SecondPieces = {
  /** From the inputs: y. */
  readonly forward: Piece
  /** From the inputs and dy: dx. */
  readonly gradient: Piece
  /** From the inputs and dy: dx and the vectors' gradients, for `influential` of the compiled layer. */
  readonly first: Piece
  /** From the inputs, dy and the cotangent of dx: the gradients with respect to dy and x. */
  readonly second: Piece
  /** The same, and then those with respect to `vectors`. */
  readonly secondVectors: Piece
  readonly vectors: readonly LayerInput[]
  /** Whether dx depends on x. */
  readonly curved: boolean
}

/** Derives the pieces of a canonical graph; null where the kernel can't run one of them. */
export const compileSecond = (graph: Graph, { names, training, backward, influential }: Compiled) => {
  const program = deriveSecond(graph)
  if (!program || influential[0] !== 'x') return null
  const { sizes, dy, cotangent, y, dx, gradients, instructions, gradientLength } = program
  const inputs = names.map((name) => program.inputs[name]!)
  const curved = typeof gradients.x === 'number'
  const vectors = names.filter((name) => name !== 'x' && typeof gradients[name] === 'number')
  const full = [gradients.dy!, ...(curved ? [gradients.x!] : [])]
  const early = instructions.slice(0, gradientLength)
  const pieces: SecondPieces = {
    forward: { instructions: early, sizes, inputs, outputs: [y] },
    gradient: { instructions: early, sizes, inputs: [...inputs, dy], outputs: [dx] },
    first: {
      instructions: [...training.instructions, ...backward.instructions],
      sizes: backward.sizes,
      inputs: [...training.inputs.slice(0, names.length), backward.inputs[0]!],
      outputs: backward.outputs,
    },
    second: { instructions, sizes, inputs: [...inputs, dy, cotangent], outputs: full },
    secondVectors: {
      instructions,
      sizes,
      inputs: [...inputs, dy, cotangent],
      outputs: [...full, ...vectors.map((name) => gradients[name]!)],
    },
    vectors,
    curved,
  }
  const { forward, gradient, first, second, secondVectors } = pieces
  return [forward, gradient, first, second, secondVectors].every(suitsKernel) ? pieces : null
}

type Save = (tensors: Tensor[]) => void
type CustomGrad = (
  f: (...given: [...Tensor[], Save]) => {
    value: Tensor
    gradFunc: (dy: Tensor, saved: Tensor[]) => Tensor[]
  },
) => (...inputs: Tensor[]) => Tensor

/** The layer on `inputs` (in the order of the compiled layer's names), twice differentiable by x. */
export const runSecondOrder = (
  pieces: SecondPieces,
  { names, influential }: Compiled,
  groups: number,
  inputs: Tensor[],
): Tensor => {
  const { tf } = loadRuntime()
  const customGrad = tf.customGrad as unknown as CustomGrad
  const zeros = (like: Tensor): Tensor => tf.zeros(like.shape)

  /** Keeps everything that it is given for its gradient. */
  const op = (piece: Piece, gradFunc: (dy: Tensor, saved: Tensor[]) => Tensor[]) =>
    customGrad((...given) => {
      const tensors = given.slice(0, -1) as Tensor[]
      ;(given.at(-1) as Save)(tensors)
      return { value: runByKernel(piece, groups, tensors)[0]!, gradFunc }
    })

  const gradient = op(pieces.gradient, (cotangent, saved) => {
    const given = [...saved, cotangent]
    const [toDy, toX] = runByKernel(pieces.second, groups, given)
    const toVectors = runByKernel(pieces.secondVectors, groups, given).slice(pieces.curved ? 2 : 1)
    const toInputs = names.map((name, i) =>
      name === 'x'
        ? pieces.curved
          ? toX!
          : zeros(saved[i]!)
        : (toVectors[pieces.vectors.indexOf(name)] ?? zeros(saved[i]!)),
    )
    return [...toInputs, toDy!]
  })
  const layer = op(pieces.forward, (dy, saved) => {
    const first = runByKernel(pieces.first, groups, [...saved, dy])
    const fenced = (value: Tensor): Tensor =>
      customGrad(() => ({
        value,
        gradFunc: () => {
          throw new Error('layer: the gradients of its vectors have no further derivative')
        },
      }))(dy)
    return names.map((name, i) => {
      if (name === 'x') return gradient(...saved, dy)
      const at = influential.indexOf(name)
      return at < 0 ? zeros(saved[i]!) : fenced(first[at]!)
    })
  })
  return layer(...inputs)
}
