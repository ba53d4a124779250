/** The `--set key=value` options: dotted keys into settings, checked by their schema. */
import { z } from 'zod'
import { leavesOf } from '../../shared/records/fields.ts'
import { needed } from '../../shared/records/problem.ts'
import { UserError } from './errors.ts'

type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

/** A copy of `config` with each setting applied. Throws a UserError that names key, needed and got. */
export const applySettings = <Config>(
  config: Config,
  settings: readonly string[],
  schema: z.ZodType<Config>,
): Config => {
  const changed = JSON.parse(JSON.stringify(config)) as Json
  const known = [...new Set([...keysOf(changed), ...settable(schema, config)])]
  const given = settings.map((setting) => {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(setting) ?? []
    if (key === undefined || value === undefined)
      throw new UserError(`--set: needs key=value, got "${setting}"`)
    place(changed, key.trim(), valueOf(value), known)
    return key.trim()
  })
  const parsed = schema.safeParse(changed)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  const { path, message } = issue
  if (issue.code === 'unrecognized_keys') throw unknownKey([...path, issue.keys[0]!].join('.'), known)
  const key = path.join('.')
  const blamed = given.find((name) => key.startsWith(name)) ?? key
  throw new UserError(`--set ${blamed}: ${needed(message)}, got ${JSON.stringify(at(changed, path))}`)
}

/** JSON where it is JSON, else the text itself. */
const valueOf = (text: string): Json => {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

/** Whether there is such a key, the schema says: some may be absent, as `data.path` is. */
const place = (config: Json, key: string, value: Json, known: readonly string[]): void => {
  const steps = key.split('.')
  const last = steps.pop()!
  const parent = steps.reduce<Json | undefined>((node, step) => child(node, step), config)
  const holds =
    Array.isArray(parent) && !(/^\d{1,4}$/.test(last) && Number(last) <= parent.length)
      ? false
      : typeof parent === 'object' && parent !== null
  if (!holds) throw unknownKey(key, known)
  // Assigned, `__proto__` would not become a key that the schema sees.
  Object.defineProperty(parent, last, { value, enumerable: true, configurable: true, writable: true })
}

const unknownKey = (key: string, known: readonly string[]): UserError =>
  new UserError(`--set: there is no setting "${key}"; the nearest is "${nearest(key, known)}"`)

/** Every key that the settings' schema has, those too that the settings at hand leave out. */
const settable = (schema: z.ZodType, config: unknown): string[] => {
  const own =
    schema instanceof z.ZodDiscriminatedUnion
      ? schema.options.filter((option) => z.safeParse(option, config).success)
      : [schema]
  return own.flatMap((one) => leavesOf(one)).map(({ path }) => path.join('.'))
}

const child = (node: Json | undefined, key: string): Json | undefined =>
  typeof node === 'object' && node !== null && Object.hasOwn(node, key)
    ? (node as { [key: string]: Json })[key]
    : undefined

const at = (config: Json, path: readonly PropertyKey[]): Json | undefined =>
  path.reduce<Json | undefined>((node, key) => child(node, String(key)), config)

/** Keys of values and lists, and into lists. */
const keysOf = (node: Json, prefix = ''): string[] =>
  typeof node === 'object' && node !== null
    ? Object.entries(node).flatMap(([key, value]) => {
        const group = typeof value === 'object' && value !== null && !Array.isArray(value)
        return [...(group ? [] : [`${prefix}${key}`]), ...keysOf(value, `${prefix}${key}.`)]
      })
    : []

/** The known key that is fewest edits away; a key without its path counts as its last part. */
const nearest = (key: string, known: readonly string[]): string => {
  const distance = (candidate: string): number =>
    Math.min(edits(key, candidate), edits(key, candidate.split('.').at(-1)!) + 0.5)
  return [...known].sort((a, b) => distance(a) - distance(b))[0]!
}

/** Levenshtein's distance. */
const edits = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
