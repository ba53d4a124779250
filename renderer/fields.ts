/** Every number of a search that can be set: where it lives in the settings, what it is called, its unit and meaning. */
import { z } from 'zod'
import { DATA_SETS } from '../shared/catalog.ts'
import { leavesOf, textOf, type Leaf } from '../shared/records/fields.ts'
import { searchConfigSchema, type SearchConfig } from '../shared/records/search-config.ts'

export type Field = {
  /** Keys from the settings' root, as in a problem's path. */
  readonly path: readonly string[]
  readonly label: string
  readonly help?: string
  readonly unit?: string
} & (
  | { readonly kind: 'number' | 'check' }
  /** Kept as a fraction, shown and typed as a percentage. */
  | { readonly kind: 'percent' }
  | { readonly kind: 'choice'; readonly choices: readonly (readonly [value: string, label: string])[] }
)
export type FieldGroup = { readonly name: string; readonly help: string; readonly fields: readonly Field[] }

/** What the form shows of a value; nothing where it has no name, or a place of its own on the page. */
const fieldOf = ({ path, schema, text }: Leaf): Field[] => {
  if (!text) return []
  const { label, unit, help, percent, choices } = text
  const told = { path, label, ...(unit ? { unit } : {}), ...(help ? { help } : {}) }
  if (choices) return [{ ...told, kind: 'choice', choices: Object.entries(choices) }]
  if (percent) return [{ ...told, kind: 'percent' }]
  if (schema instanceof z.ZodBoolean) return [{ ...told, kind: 'check' }]
  return schema instanceof z.ZodNumber ? [{ ...told, kind: 'number' }] : []
}

const { data, ...parts } = searchConfigSchema.shape
export const DATA_FIELDS: readonly Field[] = leavesOf(data, ['data']).flatMap(fieldOf)

/** The groups of settings, each with its fields, as the record's schema has them. */
export const FIELD_GROUPS: readonly FieldGroup[] = Object.entries(parts).flatMap(([key, part]) => {
  const text = textOf(part)
  if (!text || !(part instanceof z.ZodObject)) return []
  return [{ name: text.label, help: text.help ?? '', fields: leavesOf(part, [key]).flatMap(fieldOf) }]
})

export const FIELDS: readonly Field[] = [...DATA_FIELDS, ...FIELD_GROUPS.flatMap((group) => group.fields)]

export const valueAt = (config: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined,
    config,
  )

/** A copy of the settings with one value set. */
export const withValue = <T>(config: T, path: readonly string[], value: unknown): T => {
  const [key, ...others] = path
  if (key === undefined) return value as T
  const inner = (config as Record<string, unknown>)[key]
  return { ...config, [key]: withValue(inner, others, value) }
}

export type Change = { readonly label: string; readonly before: string; readonly after: string }

const shown = (field: Field, value: unknown): string => {
  if (field.kind === 'choice') return field.choices.find(([name]) => name === value)?.[1] ?? String(value)
  if (field.kind === 'check') return value ? 'on' : 'off'
  if (typeof value !== 'number') return '–'
  return field.kind === 'percent'
    ? `${Number((value * 100).toFixed(4))}%`
    : `${value}${field.unit ? ` ${field.unit}` : ''}`
}

const architectures = (config: SearchConfig): string =>
  config.architectures.map(({ name, width, depth }) => `${name} ${width}×${depth}`).join(', ')

/** What one search's settings change in another's; the seed and the preset's name are no change worth a line. */
export const changes = (before: SearchConfig, after: SearchConfig): Change[] => {
  const line = (label: string, a: string, b: string): Change[] =>
    a === b ? [] : [{ label, before: a, after: b }]
  return [
    ...line('Data set', DATA_SETS[before.data.kind].label, DATA_SETS[after.data.kind].label),
    ...line('Folder', before.data.path ?? '–', after.data.path ?? '–'),
    ...line('Space', before.space, after.space),
    ...line('Seed', String(before.seed), String(after.seed)),
    ...line('Architectures', architectures(before), architectures(after)),
    ...line('Baselines', before.baselines.join(', ') || 'none', after.baselines.join(', ') || 'none'),
    ...FIELDS.flatMap((field) => {
      const [a, b] = [shown(field, valueAt(before, field.path)), shown(field, valueAt(after, field.path))]
      return line(labelOf(field), a, b)
    }),
  ]
}

const LABELS: ReadonlyMap<string, string> = new Map(
  leavesOf(searchConfigSchema).flatMap(({ path, text }) => (text ? [[path.join('.'), text.label]] : [])),
)

/** The name of a setting from its path, joined by dots; of what lies inside a list, the list's. */
export const nameOf = (key: string): string => {
  const field = FIELDS.find(({ path }) => path.join('.') === key)
  if (field) return labelOf(field)
  return LABELS.get(key) ?? LABELS.get(key.split('.')[0]!) ?? key
}

const labelOf = (field: Field): string =>
  `${field.label}${field.unit && field.label === 'Stop after' ? ` (${field.unit})` : ''}`
