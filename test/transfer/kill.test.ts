import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { transferFolders } from '../../main/transfer/folders.ts'
import { NO_SEARCH, transferDetail, transferSummaries } from '../../main/transfer/summary.ts'
import { openStore } from '../../main/store/store.ts'
import { createRandom } from '../../shared/random.ts'
import { dataFolder } from '../main/stand-in-app.ts'
import { STAND_IN } from '../workers/stand-in.ts'
import { figures } from './harness.ts'

const KILLS = 8
const CLI = path.resolve(import.meta.dirname, '../../main/cli.ts')
const TRANSFER =
  'transfer --layer EvoNorm-B0 --task synthesis --data shapes --workers 2 --set training.steps=200 --set seeds=2 ' +
  '--set evaluateEvery=50 --set checkpointEvery=10 --set baselines=["BN-ReLU","EvoNorm-S0"]'

/** The command line in a process group of its own, its workers taking `milliseconds` a run. */
const start = (folder: string, milliseconds: number): ChildProcess =>
  spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', CLI, ...TRANSFER.split(' '), '--data-folder', folder],
    {
      detached: true,
      stdio: 'ignore',
      env: {
        ...process.env,
        NORMFORGE_EVALUATOR: STAND_IN,
        NORMFORGE_STANDIN_LOG: path.join(folder, 'log'),
        NORMFORGE_STANDIN_MS: String(milliseconds),
      },
    },
  )

const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((resolve) => child.once('exit', resolve))

/** Where runs began or went on: what, and at which step. */
const linesOf = (folder: string): string[][] => {
  const log = path.join(folder, 'log')
  return existsSync(log)
    ? readFileSync(log, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => line.split(' '))
    : []
}

const outcome = (folder: string) => {
  const db = openStore(folder)
  try {
    const [summary, ...others] = transferSummaries(db, NO_SEARCH)
    assert.equal(others.length, 0)
    return figures(transferDetail(db, transferFolders(folder), summary!.promotion.id, NO_SEARCH)!)
  } finally {
    db.close()
  }
}

test(`killed at ${KILLS} random moments, a transfer ends at the figures of one left alone`, async (t) => {
  const [folder, other] = [dataFolder(), dataFolder()]
  const random = createRandom('kill', 1)
  for (let kill = 0; kill < KILLS; kill++) {
    const before = linesOf(folder).length
    const child = start(folder, 1500)
    t.after(() => child.kill('SIGKILL'))
    while (child.exitCode === null && linesOf(folder).length <= before) await sleep(5)
    await sleep(random.below(700))
    assert.equal(child.exitCode, null, 'the transfer was over before the last kill')
    // Either everything at once, as when the system ends the group, or the program alone, which its workers follow.
    process.kill(random.below(2) === 0 ? -child.pid! : child.pid!, 'SIGKILL')
    await ended(child)
  }
  assert.equal(await ended(start(folder, 5)), 0)
  assert.equal(await ended(start(other, 5)), 0)

  const killed = outcome(folder)
  assert.deepEqual(killed, outcome(other))
  assert.equal(killed.state, 'done')
  const resumed = linesOf(folder).filter(([, , what, step]) => what === 'from' && Number(step) > 0)
  assert.ok(resumed.length >= 3, `runs that went on from a checkpoint: ${resumed.length}`)
  const finished = linesOf(folder).filter(([, , what]) => what === 'to')
  t.diagnostic(`${resumed.length} went on from a checkpoint, ${finished.length} ends for 6 runs`)
})
