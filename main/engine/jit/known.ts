/** What the recorder knows of a tensor that exists only in the graph it records. */
export type Known = {
  readonly shape: number[]
  readonly dtype: number
  readonly values?: ArrayLike<number | bigint>
}
export type Attributes = Readonly<Record<string, unknown>>
export type Out = { shape: number[]; dtype: number }
export type ShapeFunction = (inputs: readonly Known[], attributes: Attributes) => Out[]

/** TensorFlow's type numbers (DataType in types.proto). */
export const DT = { float: 1, int32: 3, uint8: 4, bool: 10, int64: 9 } as const

/** The numbers of a constant. */
export const values = (input: Known | undefined): number[] => {
  if (!input?.values) throw new Error('jit: a shape or axis must be a constant, got a computed tensor')
  return Array.from(input.values, Number)
}
