/**
 * What is kept as JSON: each kind has a schema and a version. Text of an older version is brought up to date when it is
 * read, so that nothing that was kept is lost when a field is added.
 */
import type { z } from 'zod'
import { problemOf } from './problem.ts'
import { asStored, type Of } from './shapes.ts'

type JsonObject = Readonly<Record<string, unknown>>

/** Makes of what one version wrote what the next one would have written; of a record in an envelope, with its `value`. */
export type Migration = (old: JsonObject) => JsonObject

/** Kept text that this program can't make sense of: which kind of record, what was needed and what it got. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError'
}

/** A kind of record, and how it is kept. */
export type RecordKind<T> = {
  readonly name: string
  readonly version: number
  /** Throws an UnreadableError. */
  read(text: string): T
  write(value: T): string
}

/**
 * A kind of record whose version is the number of its migrations and one. Objects have their `version` among their keys;
 * what is no object (`envelope`: a list, or names of the user's) is kept as `{ version, value }`. Text without a version
 * is of version 1: it was written before there were any.
 */
export const recordKind = <S extends z.ZodType>(
  name: string,
  schema: S,
  { migrations = [], envelope = false }: { migrations?: readonly Migration[]; envelope?: boolean } = {},
): RecordKind<Of<S>> => {
  const version = migrations.length + 1
  const shape: z.ZodType<Of<S>> = asStored(schema)
  return {
    name,
    version,
    read: (text) => {
      const kept = objectIn(text, name, envelope)
      const written = versionOf(kept)
      if (written === null)
        throw new UnreadableError(`${name}: needed a version, got ${JSON.stringify(kept['version'])}`)
      if (written > version)
        throw new UnreadableError(
          `${name}: it was made by a newer version of this program: needed version ${version} at most, got ${written}`,
        )
      // Nearly all text is of today's version: lists of 100,000 are read so.
      const now =
        written === version
          ? kept
          : migrations
              .slice(written - 1)
              .reduce((old, migrate, i) => ({ ...migrate(old), version: written + i + 1 }), kept)
      const value: unknown = envelope ? now['value'] : now
      const parsed = shape.safeParse(value)
      if (!parsed.success) throw new UnreadableError(`${name}: ${problemOf(parsed.error, value)}`)
      return parsed.data
    },
    write: (value) =>
      JSON.stringify(envelope || !isObject(value) ? { version, value } : { version, ...value }),
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The kept object; in an envelope, which the first version did not have. */
const objectIn = (text: string, name: string, envelope: boolean): JsonObject => {
  const value = parse(text, name)
  if (envelope) return isObject(value) && typeof value['version'] === 'number' ? value : { value }
  if (!isObject(value)) throw new UnreadableError(`${name}: needed an object, got ${text.slice(0, 60)}`)
  return value
}

const parse = (text: string, name: string): unknown => {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new UnreadableError(`${name}: needed JSON, got ${JSON.stringify(text.slice(0, 60))}`, { cause })
  }
}

/** null for what can be none. */
const versionOf = ({ version = 1 }: JsonObject): number | null =>
  typeof version === 'number' && Number.isInteger(version) && version > 0 ? version : null
