import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { installed } from '../../main/setup/installed.mjs'
import { isWhole, writeManifest } from '../../main/setup/manifest.mjs'
import { requireSpace, root } from '../../main/setup/process.mjs'

const scratch = (t: TestContext): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'normforge-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
/** The id of a process that is no more. */
const deadProcess = (): number => spawnSync(process.execPath, ['-e', '']).pid

test('six processes that take turns never work at the same time, though a dead one held the lock', async (t) => {
  const folder = scratch(t)
  const lock = path.join(folder, 'lock')
  const counter = path.join(folder, 'counter')
  writeFileSync(lock, String(deadProcess()))
  writeFileSync(counter, '0')
  // Reading, waiting and writing loses counts as soon as two do it at once.
  const program = `
    const { installed } = await import(${JSON.stringify(path.join(root, 'main/setup/installed.mjs'))})
    const { readFileSync, writeFileSync } = await import('node:fs')
    for (let i = 0; i < 5; i++)
      await installed.locked(${JSON.stringify(lock)}, async () => {
        const count = Number(readFileSync(${JSON.stringify(counter)}, 'utf8'))
        await new Promise((resolve) => setTimeout(resolve, 3))
        writeFileSync(${JSON.stringify(counter)}, String(count + 1))
      })`
  const count = (): Promise<number | null> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' })
      child.on('close', resolve)
    })
  assert.deepEqual(await Promise.all(Array.from({ length: 6 }, count)), [0, 0, 0, 0, 0, 0])
  assert.equal(readFileSync(counter, 'utf8'), '30')
  assert.deepEqual(readdirSync(folder), ['counter'])
})

test('a lock whose holder’s id went to another process is taken over at once', async (t) => {
  const lock = path.join(scratch(t), 'lock')
  let written = ''
  await installed.locked(lock, async () => void (written = readFileSync(lock, 'utf8')))
  const [pid, started, boot] = written.split(' ')
  assert.equal(pid, String(process.pid))
  for (const other of [
    `${process.pid}`,
    `${pid} ${Number(started) + 1} ${boot}`,
    `${pid} ${started} another-boot`,
    'no process',
    '-1',
  ]) {
    writeFileSync(lock, other)
    let done = false
    await installed.locked(lock, async () => void (done = true))
    assert.ok(done && !existsSync(lock), other)
  }
})

test('something else in the place of a lock is named', async (t) => {
  const lock = path.join(scratch(t), 'lock')
  mkdirSync(lock)
  await assert.rejects(
    installed.locked(lock, async () => undefined),
    /lock is no lock that can be read: remove it$/,
  )
})

test('a folder appears whole, or not at all when making it fails', async (t) => {
  const folder = path.join(scratch(t), 'runtime')
  await assert.rejects(
    installed.folderOnce(folder, async (temporary) => {
      writeFileSync(path.join(temporary, 'half'), '')
      throw new Error('no network')
    }),
    /no network/,
  )
  assert.deepEqual(readdirSync(path.dirname(folder)), [])
  await installed.folderOnce(folder, async (temporary) => {
    assert.ok(!existsSync(folder))
    writeFileSync(path.join(temporary, 'whole'), '')
  })
  await installed.folderOnce(folder, () => Promise.reject(new Error('is there already')))
  assert.deepEqual(readdirSync(path.dirname(folder)), ['runtime'])
  assert.deepEqual(readdirSync(folder), ['whole'])
})

test('a runtime is whole while every library has its size', (t) => {
  const folder = scratch(t)
  assert.ok(!isWhole(folder))
  mkdirSync(path.join(folder, 'tensorflow'))
  const library = path.join(folder, 'tensorflow', 'libtensorflow_cc.so.2')
  writeFileSync(library, 'library')
  writeManifest(folder, folder, 'wheel')
  assert.ok(isWhole(folder))
  writeFileSync(library, 'librar')
  assert.ok(!isWhole(folder))
  rmSync(library)
  assert.ok(!isWhole(folder))
})

test('a disk that is too small is named with both sizes and the way out', (t) => {
  const folder = scratch(t)
  requireSpace(folder, 1)
  assert.throws(
    () => requireSpace(folder, 1e18),
    /normforge-\w+ has \d+\.\d GB free, 1000000000\.0 GB are needed: free some, or set NORMFORGE_CACHE/,
  )
})
