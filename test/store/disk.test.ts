import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { join } from 'node:path'
import {
  countChanges,
  diskLibrary,
  requireKept,
  requireMigrated,
  runStrokes,
  unpackSample,
  type DiskEvent,
} from './disk.ts'
import { folderOf } from './fixture.ts'

/** Moments of each event in a quick run; `NORMFORGE_EVERY_WRITE` tries every one. */
const MOMENTS = process.env['NORMFORGE_EVERY_WRITE'] ? Infinity : 6
const AT_ONCE = 2

const place = folderOf({ after })
const built = diskLibrary(place)
const skip = typeof built === 'string' ? built : false
const { library } = typeof built === 'string' ? { library: '' } : built

/** `count` numbers from 1 to `most`, evenly spread, both ends among them. */
const spread = (most: number, count: number): number[] =>
  count >= most
    ? Array.from({ length: most }, (_, i) => i + 1)
    : Array.from({ length: count }, (_, i) => 1 + Math.round((i * (most - 1)) / (count - 1)))

/** Calls `trial` for every moment, some at once. */
const each = async (moments: number[], trial: (moment: number) => Promise<void>): Promise<void> => {
  const line = [...moments]
  const walk = async (): Promise<void> => {
    for (let next = line.shift(); next !== undefined; next = line.shift()) await trial(next)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, walk))
}

for (const [event, title] of [
  ['kill', 'a program that is killed at any change of the store loses nothing that was written'],
  ['torn', 'nor does one that is killed half-way through a change'],
  ['full', 'nor does one whose disk is full from any change on: what is refused is refused wholly'],
] as const satisfies readonly (readonly [DiskEvent, string])[]) {
  test(title, { skip }, async (t) => {
    const changes = await countChanges(join(place, event), library)
    const moments = spread(changes, MOMENTS)
    let refused = 0
    await each(moments, async (at) => {
      const folder = join(place, `${event}-${at}`)
      const ended = await runStrokes(folder, library, event, at)
      if (event === 'full') refused += ended.lines.filter((line) => line.startsWith('refused')).length
      else assert.equal(ended.signal, 'SIGKILL')
      requireKept(folder, ended, event === 'full' ? 0 : 1)
    })
    if (event === 'full') assert.ok(refused > 0)
    t.diagnostic(
      `${moments.length} of ${changes} changes${event === 'full' ? `, ${refused} writes refused` : ''}`,
    )
  })

  test(`the same while an older store is brought up to date (${event})`, { skip }, async (t) => {
    const whole = join(place, `old-${event}`)
    unpackSample(whole, 1)
    const changes = await countChanges(whole, library)
    requireMigrated(whole, 14)
    // The backup comes first: half of the moments are within it.
    const moments = [
      ...new Set([...spread(Math.min(changes, 30), MOMENTS / 2), ...spread(changes, MOMENTS / 2)]),
    ]
    await each(moments, async (at) => {
      const folder = join(place, `old-${event}-${at}`)
      unpackSample(folder, 1)
      const ended = await runStrokes(folder, library, event, at)
      requireKept(folder, ended, event === 'full' ? 0 : 1)
      requireMigrated(folder, 14)
    })
    t.diagnostic(`${moments.length} of ${changes} changes`)
  })
}
