/** The workers' log, and a worker under Node's inspector. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { examine } from '../../main/setup/doctor.mjs'
import { inspecting } from '../../main/workers/inspecting.ts'
import { lastLine, logFile, logsIn, openLog } from '../../main/workers/log.ts'
import { logging } from '../../main/workers/logging.ts'
import { openPool } from '../../main/workers/open.ts'
import { spawnNode } from '../../main/workers/process.ts'
import { jobOf, poolOf, until } from './fixture.ts'

const ENGINE = path.resolve(import.meta.dirname, '../../main/engine/evaluator.ts')
const temporary = (t: TestContext): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'normforge-log-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('a log never grows past four files of its limit, and keeps the newest lines', (t) => {
  const folder = path.join(temporary(t), 'logs')
  const log = openLog(folder, { mostBytes: 1000 })
  for (let i = 0; i < 300; i++) log.write('info', `line ${i}`)
  const files = readdirSync(folder)
  assert.deepEqual(files.sort(), ['workers.1.log', 'workers.2.log', 'workers.3.log', 'workers.log'])
  for (const file of files) assert.ok(statSync(path.join(folder, file)).size < 1100, file)
  const lines = [3, 2, 1, 0].flatMap((n) => readFileSync(logFile(folder, n), 'utf8').trim().split('\n'))
  const numbers = lines.map((line) => Number(/ info {4}line (\d+)$/.exec(line)![1]))
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => 300 - numbers.length + i),
  )
  assert.equal(statSync(folder).mode & 0o077, 0, 'nobody else reads it')
})

test('a log holds what its level asks for; a disk that refuses is no fault', (t) => {
  const folder = temporary(t)
  const log = openLog(folder, { level: 'warning' })
  for (const level of ['error', 'warning', 'info', 'debug'] as const) log.write(level, `of ${level}`)
  const text = readFileSync(logFile(folder), 'utf8')
  assert.match(text, /^\S+Z error {3}of error\n\S+Z warning of warning\n$/)
  assert.match(lastLine(folder, 'error')!, /error {3}of error$/)
  assert.match(lastLine(folder, 'warning')!, /warning of warning$/)
  const file = path.join(folder, 'a file')
  writeFileSync(file, '')
  openLog(path.join(file, 'logs')).write('error', 'nowhere')
  mkdirSync(logFile(path.join(folder, 'b')), { recursive: true })
  openLog(path.join(folder, 'b')).write('error', 'into a folder')
})

test('the log says when workers start, what they can’t do, and of what they end', async (t) => {
  const folder = temporary(t)
  const log = openLog(folder, { level: 'debug' })
  const { pool, pids } = poolOf({ faults: { '#1': 'exit' } }, { spawn: logging(spawnNode, log) })
  t.after(pool.close)
  await pool.run(jobOf(1))
  await pool.run(jobOf(2))
  await until(() => readFileSync(logFile(folder), 'utf8').includes('ended with'))
  const text = readFileSync(logFile(folder), 'utf8')
  const line = (level: string, of: string): RegExp =>
    new RegExp(`Z ${level.padEnd(7)} worker ${pids[0]}: ${of}`, 'm')
  assert.match(text, line('info', 'started$'))
  assert.match(text, line('info', 'ready: evaluator stand-in, threads 1$'))
  assert.match(text, line('debug', 'task \\d+: evaluate$'))
  assert.match(text, line('error', 'ended with exit code \\d+; the op last started: not traced$'))
})

test('a worker that goes without kernels says so on its line, in the log and to the doctor', async (t) => {
  const dataFolder = temporary(t)
  process.env['NORMFORGE_KERNELS'] = '0'
  t.after(() => delete process.env['NORMFORGE_KERNELS'])
  const options = { evaluator: ENGINE, workers: 1, threads: 1, measure: false }
  const pool = openPool({ ...options, logFolder: logsIn(dataFolder) })
  t.after(pool.close)
  await pool.check({ kind: 'shapes', validationImages: 10, trainingImages: 10, imageSize: 16 })
  const note = "going without the engine's own kernels, more slowly: as NORMFORGE_KERNELS=0 asks"
  assert.deepEqual(pool.status()[0]!.notes, [note])
  assert.ok(lastLine(logsIn(dataFolder), 'warning')!.endsWith(note))
  const fact = (await examine(dataFolder)).find(({ label }) => label === "Workers' log")!
  assert.ok(
    fact.ok && fact.value.endsWith(note) && fact.value.startsWith(logFile(logsIn(dataFolder))),
    fact.value,
  )
})

test('one worker of several is under Node’s inspector, and says where; the next one when that has ended', async (t) => {
  const said: string[] = []
  const { pool, pids } = poolOf(
    { milliseconds: 50 },
    { count: 2, ...inspecting(spawnNode, 0, (text) => said.push(text)) },
  )
  t.after(pool.close)
  await Promise.all([pool.run(jobOf(1)), pool.run(jobOf(2)), pool.run(jobOf(3))])
  await until(() => said.length > 0)
  const [, pid, port] = /^worker (\d+): Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(said[0]!)!
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as { type: string }[]
  assert.equal(targets[0]?.type, 'node')
  assert.equal(said.length, 1, 'one at a time')
  process.kill(Number(pid), 'SIGKILL')
  await until(() => pool.status().some(({ failures }) => failures > 0))
  while (said.length < 2) await Promise.all([pool.run(jobOf(4)), pool.run(jobOf(5))])
  assert.ok(pids.length >= 3)
})
