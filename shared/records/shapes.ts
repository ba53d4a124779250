/** One schema, two uses: what the user gives is held to its limits, what was kept only to its shape. */
import { z } from 'zod'

/** A record as the program hands it about: nothing in it changes. */
export type Immutable<T> = T extends object ? { readonly [K in keyof T]: Immutable<T[K]> } : T

/** The type of a record from its schema. */
export type Of<S extends z.ZodType> = Immutable<z.output<S>>

/**
 * A schema's shape alone, at every depth: keys that it does not know are dropped, and limits of numbers, texts and lists
 * are not asked about. What an earlier version allowed, or a later one adds, can be read so.
 */
export const asStored = <S extends z.ZodType>(schema: S): z.ZodType<Of<S>> =>
  loosened(schema) as z.ZodType<Of<S>>

const loosened = (schema: z.core.$ZodType): z.core.$ZodType => {
  if (schema instanceof z.ZodObject)
    return z.object(
      Object.fromEntries(
        Object.entries<z.core.$ZodType>(schema.shape).map(([key, value]) => [key, loosened(value)]),
      ),
    )
  if (schema instanceof z.ZodDiscriminatedUnion || schema instanceof z.ZodUnion)
    return schema.clone({ ...schema.def, options: schema.options.map(loosened) })
  if (schema instanceof z.ZodArray) return z.array(loosened(schema.element))
  if (schema instanceof z.ZodRecord) return z.record(schema.keyType, loosened(schema.valueType))
  if (schema instanceof z.ZodOptional) return z.optional(loosened(schema.unwrap()))
  if (schema instanceof z.ZodNullable) return z.nullable(loosened(schema.unwrap()))
  if (schema instanceof z.ZodReadonly) return loosened(schema.unwrap())
  if (schema instanceof z.ZodNumber) return z.number()
  if (schema instanceof z.ZodString) return z.string()
  return schema
}
