/** Every number of a search that can be set: where it lives in the settings, what it is called, its unit and meaning. */
import { DATA_SETS } from '../shared/catalog.ts'
import type { SearchConfig } from '../shared/records.ts'

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

type Rest = Pick<Field, 'help' | 'unit'>
const number = (path: string, label: string, unit?: string, help?: string): Field => ({
  path: path.split('.'),
  label,
  kind: 'number',
  ...rest(unit, help),
})
const percent = (path: string, label: string, help?: string): Field => ({
  path: path.split('.'),
  label,
  kind: 'percent',
  ...rest('%', help),
})
const choice = (path: string, label: string, choices: [string, string][], help?: string): Field => ({
  path: path.split('.'),
  label,
  kind: 'choice',
  choices,
  ...rest(undefined, help),
})
const rest = (unit?: string, help?: string): Rest => ({
  ...(unit === undefined ? {} : { unit }),
  ...(help === undefined ? {} : { help }),
})

export const DATA_FIELDS: readonly Field[] = [
  number('data.trainingImages', 'Training images', 'images', '0: all of them'),
  number(
    'data.validationImages',
    'Validation images',
    'images',
    'held out of the training set; at most so many of a part of their own',
  ),
  number('data.imageSize', 'Side of an image', 'pixels', 'other sizes are resized'),
]

export const FIELD_GROUPS: readonly FieldGroup[] = [
  {
    name: 'Training',
    help: 'The protocol that every candidate and every baseline is scored by.',
    fields: [
      number('training.steps', 'Steps', 'steps'),
      number('training.batchSize', 'Batch', 'images'),
      number('training.learningRate', 'Learning rate', '', 'peak of the cosine schedule'),
      number('training.warmupSteps', 'Warm-up', 'steps'),
      number('training.momentum', 'Nesterov momentum', '', '0 to 1'),
      number('training.weightDecay', 'Weight decay'),
      number('training.labelSmoothing', 'Label smoothing', '', '0 to 1'),
      number('training.groups', 'Groups', 'groups', 'of the hwg index set; 32 in the paper'),
      { path: ['training', 'augment'], label: 'Random crop and flip', kind: 'check' },
    ],
  },
  {
    name: 'Rejection',
    help: 'Tests that end a hopeless candidate before its full training.',
    fields: [
      number('rejection.quality.steps', 'Quality: after', 'steps'),
      percent(
        'rejection.quality.minAccuracy',
        'Quality: at least',
        'validation accuracy on every architecture',
      ),
      number(
        'rejection.stability.steps',
        'Stability: ascent',
        'steps',
        'of gradient ascent on the gradient norm',
      ),
      number('rejection.stability.maxGradientNorm', 'Stability: norm at most'),
      number('rejection.stability.learningRate', 'Stability: learning rate'),
      number('rejection.stability.batchSize', 'Stability: batch', 'images'),
    ],
  },
  {
    name: 'Evolution',
    help: 'Tournament selection with ageing over a sliding window of the most recent layers.',
    fields: [
      choice(
        'evolution.mode',
        'Mode',
        [
          ['evolution', 'Evolution'],
          ['random', 'Random search'],
        ],
        'random: the same budget without selection',
      ),
      choice('evolution.winner', 'Tournament winner', [
        ['pareto', 'One of the Pareto front'],
        ['average', 'Best average'],
      ]),
      choice('evolution.initial', 'First population', [
        ['seeded', 'Known layers, their mutations, random'],
        ['random', 'Random layers, as in the paper'],
      ]),
      number('evolution.initialSize', 'Its size', 'layers'),
      number('evolution.population', 'Population', 'layers'),
      percent('evolution.tournament', 'Tournament', 'part of the population drawn'),
      number('evolution.maxTrained', 'Stop after', 'trained', '0: no limit'),
      number(
        'evolution.maxSeconds',
        'Stop after',
        'seconds',
        'of searching, after the baselines; 0: no limit',
      ),
      number(
        'evolution.inFlight',
        'Evaluated at once',
        'layers',
        'part of the search: its history depends on it',
      ),
      number(
        'evolution.mostAlike',
        'Alike at most',
        'layers',
        'alive at once that start training as one function; 0: no limit',
      ),
      number('evolution.rerank.count', 'Re-rank the best', 'layers', '0: none'),
      number('evolution.rerank.steps', 'Re-rank: train for', 'steps'),
    ],
  },
]

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

/** Names of settings that have no field in the lists above. */
const OTHERS: Readonly<Record<string, string>> = {
  'data.path': 'The folder',
  seed: 'Seed',
  architectures: 'Architectures',
  baselines: 'Baselines',
}

/** The name of a setting from its path, joined by dots. */
export const nameOf = (key: string): string => {
  const field = FIELDS.find(({ path }) => path.join('.') === key)
  if (field) return labelOf(field)
  return OTHERS[key] ?? OTHERS[key.split('.')[0]!] ?? key
}

const labelOf = (field: Field): string =>
  `${field.label}${field.unit && field.label === 'Stop after' ? ` (${field.unit})` : ''}`
