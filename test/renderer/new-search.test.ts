import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PRESETS } from '../../shared/catalog.ts'
import { searchConfigSchema } from '../../shared/records/search-config.ts'
import { changes, FIELDS, valueAt, withValue } from '../../renderer/fields.ts'
import { problems } from '../../renderer/problems.ts'

const demo = PRESETS.demo.config

/** Paths of all single values, joined by dots. */
const leaves = (value: unknown, path: readonly string[] = []): string[] =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]))
    : [path.join('.')]

test('every number of a preset has a field, and every field a number', () => {
  const elsewhere = ['preset', 'seed', 'space', 'data.kind', 'architectures', 'baselines']
  const fields = FIELDS.map(({ path }) => path.join('.'))
  assert.deepEqual([...fields, ...elsewhere].sort(), leaves(demo).sort())
})

test('a value is set without touching the settings it came from', () => {
  const before = structuredClone(demo)
  const after = withValue(demo, ['evolution', 'rerank', 'count'], 7)
  assert.equal(valueAt(after, ['evolution', 'rerank', 'count']), 7)
  assert.deepEqual(demo, before)
  assert.equal(after.training, demo.training, 'what did not change is shared')
  assert.deepEqual(searchConfigSchema.parse(after), after)
})

test('what was changed is said in the terms of the form', () => {
  const after = withValue(
    withValue(withValue(demo, ['rejection', 'quality', 'minAccuracy'], 0.35), ['training', 'augment'], false),
    ['evolution', 'winner'],
    'average',
  )
  assert.deepEqual(changes(demo, after), [
    { label: 'Random crop and flip', before: 'on', after: 'off' },
    { label: 'Quality: at least', before: '15%', after: '35%' },
    { label: 'Tournament winner', before: 'One of the Pareto front', after: 'Best average' },
  ])
  assert.deepEqual(changes(after, after), [])
})

test('every change of any field shows', () => {
  for (const field of FIELDS) {
    const value = valueAt(demo, field.path)
    const other =
      typeof value === 'number'
        ? value / 2 + 0.25
        : typeof value === 'boolean'
          ? !value
          : field.kind === 'choice' && field.choices.find(([name]) => name !== value)?.[0]
    assert.equal(changes(demo, withValue(demo, field.path, other)).length, 1, field.path.join('.'))
  }
})

test('a preset on the embedded images has no problem, one on files lacks its folder', () => {
  assert.deepEqual(problems(demo), {})
  assert.deepEqual(problems(PRESETS.paper.config), { 'data.path': 'is needed' })
})

test('a wrong number is named at its field, in a sentence', () => {
  const wrong = (path: string, value: unknown): string | undefined =>
    problems(withValue(demo, path.split('.'), value))[path]
  assert.equal(wrong('training.steps', 1.5), 'needs a whole number')
  assert.equal(wrong('training.steps', NaN), 'needs a number')
  assert.equal(wrong('training.steps', 0), 'needs at least 1')
  assert.equal(wrong('rejection.quality.minAccuracy', 2.5), 'needs at most 100%')
  assert.equal(wrong('rejection.stability.maxGradientNorm', 0), 'needs more than 0')
  assert.equal(wrong('evolution.inFlight', 65), 'needs at most 64')
  assert.equal(wrong('architectures', []), 'needs at least 1')
  assert.equal(wrong('architectures.0', undefined), undefined)
})

test('a wrong architecture is named by its place', () => {
  const [first, ...others] = demo.architectures
  const config = { ...demo, architectures: [first!, { ...others[0]!, width: 0 }] }
  assert.deepEqual(problems(config), { 'architectures.1.width': 'needs at least 0.05' })
})
