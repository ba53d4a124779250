/**
 * `npm run test:long -- soak`: one program for an hour, with a search of real trainings in two workers that are never
 * replaced, and subscribers that come and go. Memory must stay flat, and nothing be left over: open files, handles,
 * processes, threads, temporary files.
 *
 *   --evaluations N   in each worker (default 2000)
 *   --minutes N       at most (default 60)
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createApi, type Api } from '../../main/api.ts'
import { spawnNode, type Spawn } from '../../main/workers/process.ts'
import type { SearchConfig } from '../../shared/records.ts'
import { createRandom } from '../../shared/random.ts'
import { shortSearch } from '../main/stand-in-app.ts'

const WORKERS = 2
/** Evaluations of each worker from which on growth counts (see test/bench/memory.ts), as a part of all. */
const SETTLED = 0.2
/** What may be added to memory, as a part, and to counts of what is open, until the end. */
const [GROWTH, MORE_OPEN] = [0.1, 4]
const LOOK_MS = 5000
const PAGES = 6

const config = (): SearchConfig => {
  const { training, rejection, data, ...rest } = shortSearch({ maxTrained: 1_000_000, inFlight: 4 })
  return {
    ...rest,
    baselines: ['BN-ReLU'],
    data: { ...data, trainingImages: 512, validationImages: 64 },
    training: { ...training, steps: 3, batchSize: 16 },
    rejection: {
      quality: { ...rejection.quality, steps: 2, minAccuracy: 0 },
      stability: { ...rejection.stability, steps: 1 },
    },
  }
}

/** Memory that a process has of its own, MiB: without the pages of files, which come and go as the system likes. */
const memoryOf = (pid: number): number =>
  Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
const countIn = (folder: string): number => readdirSync(folder).length

type Look = { readonly memory: Record<string, number>; readonly open: Record<string, number> }

const lookAt = (workers: readonly number[]): Look => {
  const pids = { host: process.pid, ...Object.fromEntries(workers.map((pid, i) => [`worker ${i}`, pid])) }
  const each = (measure: (pid: number) => number) =>
    Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, measure(pid)]))
  const named = (what: string, values: Record<string, number>) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [`${what} of ${name}`, value]))
  return {
    memory: each(memoryOf),
    open: {
      ...named(
        'files',
        each((pid) => countIn(`/proc/${pid}/fd`)),
      ),
      ...named(
        'threads',
        each((pid) => countIn(`/proc/${pid}/task`)),
      ),
      'handles of host': process.getActiveResourcesInfo().filter((kind) => kind !== 'Timeout').length,
      'temporary files': countIn(tmpdir()),
    },
  }
}

/** Pages that open, read, and close again, each at a moment of its own. */
const visit = async (api: Api, seed: number, over: () => boolean): Promise<void> => {
  const random = createRandom('page', seed)
  while (!over()) {
    let events = 0
    const close = api.subscribe(0, (frame) => void (events += frame.events.length))
    for (const name of ['app.info', 'searches.list', 'workers.list', 'transfers.list'])
      await api.request({ id: 1, name, argument: {} })
    await sleep(500 + random.below(4000))
    close()
  }
}

const highest = (looks: readonly Look[], of: keyof Look): Record<string, number> =>
  Object.fromEntries(
    Object.keys(looks[0]![of]).map((name) => [name, Math.max(...looks.map((look) => look[of][name] ?? 0))]),
  )

export const soak = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: { evaluations: { type: 'string', default: '2000' }, minutes: { type: 'string', default: '60' } },
  })
  const [wanted, minutes] = [Number(values.evaluations), Number(values.minutes)]
  const dataFolder = mkdtempSync(path.join(tmpdir(), 'normforge-soak-'))
  const pids: number[] = []
  const spawn: Spawn = (file, given) => {
    const child = spawnNode(file, given)
    if (child.pid !== undefined) pids.push(child.pid)
    return child
  }
  const api = createApi({
    host: 'browser',
    dataFolder,
    workers: WORKERS,
    threads: 1,
    spawn,
    limits: { recycleTasks: Infinity },
  })
  const done = Array.from({ length: WORKERS }, () => new Set<number>())
  api.subscribe(0, ({ events }) => {
    for (const event of events)
      if (event.kind === 'workers')
        for (const { worker, candidate } of event.workers)
          if (candidate !== null) done[worker]?.add(candidate)
  })
  await api.request({ id: 1, name: 'searches.create', argument: { name: 'soak', config: config() } })
  const began = performance.now()
  const elapsed = (): number => (performance.now() - began) / 60_000
  const least = (): number => Math.min(...done.map(({ size }) => size))
  const over = (): boolean => least() >= wanted || elapsed() >= minutes
  const visits = Array.from({ length: PAGES }, (_, i) => visit(api, i, over))
  const looks: { readonly at: number; readonly look: Look }[] = []
  for (let told = 0; !over();) {
    await sleep(LOOK_MS)
    if (pids.length < WORKERS) continue
    looks.push({ at: Math.max(least(), wanted * (elapsed() / minutes)) / wanted, look: lookAt(pids) })
    if (elapsed() - told < 1) continue
    told = elapsed()
    const { memory } = looks.at(-1)!.look
    const text = Object.entries(memory).map(([name, mib]) => `${name} ${mib.toFixed(0)} MiB`)
    console.log(
      `${elapsed().toFixed(1)} min, ${done.map(({ size }) => size).join(' and ')} evaluations: ${text.join(', ')}`,
    )
  }
  await Promise.all(visits)
  const early = looks.filter(({ at }) => at > SETTLED / 2 && at <= SETTLED).map(({ look }) => look)
  const late = looks.filter(({ at }) => at > 1 - SETTLED / 2).map(({ look }) => look)
  await api.close()
  await sleep(1500)
  const alive = pids.filter(
    (pid) =>
      readdirSync('/proc').includes(String(pid)) && !/ Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')),
  )
  rmSync(dataFolder, { recursive: true, force: true })

  const faults: string[] = []
  if (pids.length !== WORKERS) faults.push(`${pids.length} worker processes were started, needed ${WORKERS}`)
  if (alive.length > 0) faults.push(`${alive.length} processes outlive the program`)
  if (early.length === 0 || late.length === 0) faults.push('it was too short to tell')
  else {
    const [memory, memoryLate] = [highest(early, 'memory'), highest(late, 'memory')]
    const [open, openLate] = [highest(early, 'open'), highest(late, 'open')]
    for (const [name, before] of Object.entries(memory)) {
      const growth = memoryLate[name]! / before - 1
      console.log(
        `${name}: ${before.toFixed(0)} MiB, at the end ${memoryLate[name]!.toFixed(0)} MiB (${(100 * growth).toFixed(1)} %)`,
      )
      if (growth > GROWTH) faults.push(`${name} grew by ${(100 * growth).toFixed(1)} %`)
    }
    for (const [name, before] of Object.entries(open)) {
      console.log(`${name}: ${before}, at the end ${openLate[name]}`)
      if (openLate[name]! > before + MORE_OPEN)
        faults.push(`${name} grew from ${before} to ${openLate[name]}`)
    }
  }
  console.log(
    `${elapsed().toFixed(1)} min, ${done.map(({ size }) => size).join(' and ')} evaluations: ${faults.length === 0 ? 'flat, nothing left over' : faults.join('; ')}`,
  )
  if (faults.length > 0) process.exitCode = 1
}
