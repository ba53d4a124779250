import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { listSearches } from '../../main/store/searches.ts'
import { openStore } from '../../main/store/store.ts'
import type { Report } from '../../main/cli/report.ts'
import { cli } from './cli.ts'
import { dataFolder } from './stand-in-app.ts'

const SEARCH =
  'search --data shapes --workers 2 --set evolution.maxSeconds=0 --set evolution.maxTrained=12 --set evolution.rerank.count=2'.split(
    ' ',
  )
const CRASH = { NORMFORGE_STANDIN_FAULTS: '{"*":"crash"}' }
const CAUSE = 'killed by the system \\(SIGKILL\\), as happens when memory runs out'

test('a search whose every training crashes ends with code 2 and the cause; mended, it goes on to the end', async () => {
  const where = ['--data-folder', dataFolder()]
  const failed = await cli([...SEARCH, ...where], CRASH)
  assert.equal(failed.code, 2)
  assert.match(failed.err, new RegExp(`^The search failed: all \\d baselines failed: ${CAUSE}$`, 'm'))
  const [, id] = /To go on: npm run cli -- resume ([0-9a-f]+)/.exec(failed.err)!
  assert.match((await cli(['list', ...where])).out, new RegExp(`${id} .* failed`))
  const again = await cli(['resume', id!, ...where], CRASH)
  assert.equal(again.code, 2)
  const mended = await cli(['resume', id!, '--json', ...where])
  assert.equal(mended.code, 0, mended.err)
  const { search, funnel } = JSON.parse(mended.out) as Report
  assert.deepEqual([search.state, search.failure, funnel.failed], ['done', null, 0])
})

test('so does a transfer whose every run crashes', async () => {
  const folder = dataFolder()
  const transfer =
    'transfer --layer EvoNorm-B0 --task synthesis --data shapes --workers 2 --set seeds=1'.split(' ')
  const args = [...transfer, '--set', 'training.steps=20', '--json', '--data-folder', folder]
  const failed = await cli(args, CRASH)
  assert.equal(failed.code, 2)
  assert.match(failed.err, new RegExp(`^The transfer failed: (\\d) of \\1 runs failed: ${CAUSE}$`, 'm'))
  assert.match(failed.err, /^To go on: the same command again$/m)
  assert.equal((await cli(args)).code, 0)
})

test('so does the training of one layer', async () => {
  const args = 'classify --layer EvoNorm-B0 --data shapes --steps 20'.split(' ')
  const { code, out, err } = await cli(args, CRASH)
  assert.deepEqual([code, out], [2, ''])
  assert.match(err, new RegExp(CAUSE))
})

test('a search whose disk gets full ends with code 2 and says so; with room again it goes on', async (t) => {
  const folder = dataFolder()
  if (process.getuid?.() !== 0) return t.skip('needs root, to make a small disk')
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder]).status !== 0)
    return t.skip('needs a system that lets root mount a small disk')
  t.after(() => void spawnSync('umount', ['-l', folder]))
  const filler = path.join(folder, 'filler')
  openStore(folder).close()
  // Room for some of what the search writes.
  writeFileSync(filler, Buffer.alloc(16_150_000))
  const { code, err } = await cli([...SEARCH, '--data-folder', folder])
  assert.equal(code, 2, err)
  assert.match(err, /^The search failed: database or disk is full$/m)
  assert.match(err, /^To go on: npm run cli -- resume /m)
  rmSync(filler)
  const db = openStore(folder)
  const [search] = listSearches(db)
  db.close()
  const { code: after, err: said } = await cli(['resume', search!.id, '--data-folder', folder])
  assert.equal(after, 0, said)
})
