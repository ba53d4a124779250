/** Pieces of the records' schemas, and what a settable field is called. */
import { z } from 'zod'

/** Sums and products of a few counts stay exact. */
const MOST = 2 ** 31 - 1
export const count = z.int().min(0).max(MOST)
export const positive = z.int().min(1).max(MOST)
export const fraction = z.number().min(0).max(1)
export const rate = z.number().min(0)
/** Ordinals, steps, seeds and bytes: whole numbers without a limit of their own. */
export const whole = z.int().min(0)
export const real = z.number()
export const reals = z.record(z.string(), real)
/** Lowest and highest of what is expected, seconds. */
export const range = z.object({ low: real, high: real })

/** How a field (or a group of them) is called wherever it is shown, with its unit and a hint. */
export type FieldText = {
  readonly label: string
  readonly unit?: string
  readonly help?: string
  /** Kept as a fraction, shown and typed as a percentage. */
  readonly percent?: true
  /** What each value of an enumeration is called, in the order in which they are offered. */
  readonly choices?: Readonly<Record<string, string>>
}

const TEXTS = z.registry<FieldText>()

/** The same schema, with its field's name. */
export const labelled = <S extends z.ZodType>(
  schema: S,
  label: string,
  text: Omit<FieldText, 'label'> = {},
): S => {
  const own = schema.clone()
  TEXTS.add(own, { label, ...text })
  return own
}

/** A value that can be set: its keys from the record's root, its schema and, where it has one, its name. */
export type Leaf = {
  readonly path: readonly string[]
  readonly schema: z.core.$ZodType
  readonly text: FieldText | undefined
}

/** Every value inside an object's schema, in its order; an array is one value. */
export const leavesOf = (schema: z.core.$ZodType, path: readonly string[] = []): Leaf[] => {
  const inner = bare(schema)
  if (!(inner instanceof z.ZodObject))
    return [{ path, schema: inner, text: TEXTS.get(schema) ?? TEXTS.get(inner) }]
  return Object.entries<z.core.$ZodType>(inner.shape).flatMap(([key, value]) =>
    leavesOf(value, [...path, key]),
  )
}

/** What the field or the group itself is called. */
export const textOf = (schema: z.core.$ZodType): FieldText | undefined => TEXTS.get(schema)

/** Without what says that it may be absent or can't be changed. */
const bare = (schema: z.core.$ZodType): z.core.$ZodType =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodReadonly || schema instanceof z.ZodNullable
    ? bare(schema.unwrap())
    : schema
