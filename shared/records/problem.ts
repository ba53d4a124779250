import type { z } from 'zod'

/** Longest value that is quoted. */
const QUOTED = 60

/** The first thing that a value lacks, in words: "training.steps: needs a number, got null". */
export const problemOf = (error: z.ZodError, value: unknown): string => {
  const [issue] = error.issues
  if (!issue) return error.message
  const got = JSON.stringify(valueAt(value, issue.path)) ?? 'nothing'
  const where = issue.path.join('.')
  return `${where ? `${where}: ` : ''}${needed(issue.message)}, got ${got.length > QUOTED ? `${got.slice(0, QUOTED)}…` : got}`
}

/** What is said of a value, as what it needs. */
export const needed = (message: string): string =>
  message
    .replace(/^Invalid input: expected (.*), received .*$/, 'needs a $1')
    .replace(/^Invalid option: expected one of (.*)$/, 'needs one of $1')
    .replace(/^Too (?:small|big): expected \w+ to (?:be|have) (.*)$/, 'needs $1')

/** The value at a path; undefined where there is none. */
export const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (node, key) =>
      typeof node === 'object' && node !== null && Object.hasOwn(node, key)
        ? (node as Readonly<Record<PropertyKey, unknown>>)[key]
        : undefined,
    value,
  )
