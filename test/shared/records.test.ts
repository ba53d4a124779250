import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { ARCHITECTURE_NAMES, DATA_SET_NAMES, PRESETS } from '../../shared/catalog.ts'
import { bitsOf, OP_NAMES, OPS } from '../../shared/ops.ts'
import { dataConfigSchema } from '../../shared/records/data.ts'
import { GRAPH } from '../../shared/records/graph.ts'
import { recordKind, UnreadableError, type Migration } from '../../shared/records/record.ts'
import { SEARCH_CONFIG, searchConfigSchema } from '../../shared/records/search-config.ts'
import { asStored } from '../../shared/records/shapes.ts'
import { REPLIES } from '../../shared/replies.ts'
import { TRANSFER_CONFIG, TRANSFER_TASKS } from '../../shared/transfer.ts'
import { knownLayer } from '../../shared/known.ts'

/** As stores have them: an id is never changed and never given to another op. New ops go at the end, with new ids. */
const FROZEN = [
  ...['add', 'mul', 'div', 'max', 'neg', 'sigmoid', 'tanh', 'exp', 'log', 'abs', 'square', 'sqrt'],
  ...['mean_nhw', 'mean_hwc', 'mean_hw', 'mean_hwg', 'rms_nhw', 'rms_hwc', 'rms_hw', 'rms_hwg'],
  ...['std_nhw', 'std_hwc', 'std_hw', 'std_hwg'],
]

test('the ids of ops are each their own, exact as bits, and what they always were', () => {
  const ids = OP_NAMES.map((op) => OPS[op].id)
  assert.equal(new Set(ids).size, ids.length)
  assert.ok(ids.every((id) => Number.isInteger(id) && id >= 0 && id <= 52))
  const kept = new Map(Object.entries(OPS).map(([op, { id }]) => [id, op]))
  for (const [id, op] of FROZEN.entries()) assert.equal(kept.get(id), op)
  assert.equal(bitsOf(['mul', 'sqrt', 'mul']), 2 + 2 ** 11)
})

const first = z.strictObject({ steps: z.int().min(1), layer: z.string() })
const third = z.strictObject({ steps: z.int().min(1), layer: z.object({ name: z.string() }), seeds: z.int() })
const migrations: Migration[] = [
  (old) => ({ ...old, seeds: 1 }),
  (old) => ({ ...old, layer: { name: old['layer'] } }),
]
const THIRD = recordKind('trial', third, { migrations })

test('text of every older version, and without one, is brought up to date', () => {
  const written = recordKind('trial', first).write({ steps: 3, layer: 'a' })
  assert.deepEqual(JSON.parse(written), { version: 1, steps: 3, layer: 'a' })
  const now = { steps: 3, layer: { name: 'a' }, seeds: 1 }
  assert.deepEqual(THIRD.read(written), now)
  assert.deepEqual(THIRD.read('{"steps": 3, "layer": "a"}'), now)
  assert.deepEqual(THIRD.read('{"version": 2, "steps": 3, "layer": "a", "seeds": 5}'), { ...now, seeds: 5 })
  assert.deepEqual(THIRD.read(THIRD.write(now)), now)
})

test('lists and names of the user are kept in an envelope; those from before there were any are read', () => {
  const names = recordKind('names', z.record(z.string(), z.string()), { envelope: true })
  const made = { version: '0.1', value: 'x' }
  assert.deepEqual(JSON.parse(names.write(made)), { version: 1, value: made })
  for (const text of [names.write(made), JSON.stringify(made)]) assert.deepEqual(names.read(text), made)
  const scores = recordKind('scores', z.array(z.number()), {
    envelope: true,
    migrations: [
      ({ value }) => ({
        value: z
          .array(z.number())
          .parse(value)
          .map((score) => 100 * score),
      }),
    ],
  })
  assert.deepEqual(scores.read('[0.5, 0.25]'), [50, 25])
})

test('what can’t be read says which record, where, what it needs and what it got', () => {
  const cases: [text: string, message: RegExp][] = [
    ['{"version": 4}', /^trial: it was made by a newer version .* needed version 3 at most, got 4$/],
    ['{"version": "new"}', /^trial: needed a version, got "new"$/],
    ['{"version": 3, "layer": {"name": "a"}, "seeds": 1}', /^trial: steps: needs a number, got nothing$/],
    ['[]', /^trial: needed an object, got \[\]$/],
    ['{"version', /^trial: needed JSON, got /],
  ]
  for (const [text, message] of cases)
    assert.throws(
      () => THIRD.read(text),
      (error: unknown) => error instanceof UnreadableError && message.test(error.message),
    )
})

test('stored settings are held to their shape: limits are the form’s, and keys of a later version are dropped', () => {
  const { config } = PRESETS.demo
  const odd = {
    ...config,
    later: true,
    architectures: [],
    training: { ...config.training, steps: 0, later: 1 },
  }
  assert.ok(!searchConfigSchema.safeParse(odd).success)
  const read = SEARCH_CONFIG.read(JSON.stringify(odd))
  assert.deepEqual(read, {
    ...config,
    architectures: [],
    training: { ...config.training, steps: 0 },
  })
  for (const { presets } of Object.values(TRANSFER_TASKS))
    for (const preset of Object.values(presets))
      assert.deepEqual(TRANSFER_CONFIG.read(TRANSFER_CONFIG.write(preset.config)), preset.config)
  const { graph } = knownLayer('EvoNorm-B0')
  assert.deepEqual(GRAPH.read(GRAPH.write(graph)), graph)
  assert.ok(!asStored(searchConfigSchema).safeParse({ ...config, space: 'Q' }).success)
})

test('an entry of a list that is not understood is an entry by itself', () => {
  const entry = { search: { id: 'abc', name: 'mine', state: 'thinking' } }
  const told = { unreadable: { id: 'x', name: 'y', why: 'z' } }
  const [first, second] = REPLIES['searches.list'].parse([entry, told])
  assert.deepEqual(second, told)
  assert.ok(first && 'unreadable' in first)
  const { id, name, why } = first.unreadable
  assert.deepEqual([id, name], ['abc', 'mine'])
  assert.match(why, /^search\.createdAt: needs a string, got nothing$/)
})

test('names of architectures and data sets are those of the catalog', () => {
  assert.deepEqual(searchConfigSchema.shape.architectures.element.shape.name.options, ARCHITECTURE_NAMES)
  assert.deepEqual(dataConfigSchema.shape.kind.options, DATA_SET_NAMES)
})
