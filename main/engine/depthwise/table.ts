/**
 * Which lowering of a depthwise convolution's gradients is quickest for which shape, as measured. A table is a JSON file
 * that `npm run bench -- tune` writes.
 */
import { z } from 'zod'

export type InputLowering = 'tensorflow' | 'flipped'
export type FilterLowering = 'tensorflow' | 'own'
export type Choice = { readonly input: InputLowering; readonly filter: FilterLowering }
/** `size` is the side of the input, the root of its area where it is no square. */
export type Shape = {
  readonly batch: number
  readonly size: number
  readonly channels: number
  readonly kernel: number
  readonly stride: number
}
export type Table = {
  /** Where it was measured: processor, TensorFlow. */
  readonly machine: string
  readonly rows: readonly (Shape & Choice)[]
}

const positive = z.number().positive()
const schema = z.strictObject({
  machine: z.string(),
  rows: z.array(
    z.strictObject({
      batch: positive,
      size: positive,
      channels: positive,
      kernel: positive,
      stride: positive,
      input: z.enum(['tensorflow', 'flipped']),
      filter: z.enum(['tensorflow', 'own']),
    }),
  ),
})

/** The table in a file's text; an error names the file and what is wrong with it. */
export const parseTable = (text: string, file: string): Table => {
  const wrong = (what: string, cause?: unknown): Error =>
    new Error(`depthwise: ${file} is no table of lowerings (${what}): "npm run bench -- tune" writes one`, {
      cause,
    })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw wrong((error as Error).message, error)
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw wrong(`${path.join('.') || 'the whole'}: ${message}`)
}

/** How unlike two shapes are: octaves of the batch's pixels, and of channels. */
const distance = (a: Shape, b: Shape): number =>
  Math.abs(Math.log2((a.batch * a.size ** 2) / (b.batch * b.size ** 2))) +
  Math.abs(Math.log2(a.channels / b.channels))

/**
 * The table's choice for a shape. One that is not in it is taken as the most similar one of the same kernel and stride is;
 * where there is none, TensorFlow's own ops stay.
 */
export const choose = ({ rows }: Table, shape: Shape): Choice => {
  const alike = rows.filter(({ kernel, stride }) => kernel === shape.kernel && stride === shape.stride)
  if (alike.length === 0) return { input: 'tensorflow', filter: 'tensorflow' }
  return alike.reduce((best, row) => (distance(row, shape) < distance(best, shape) ? row : best))
}
