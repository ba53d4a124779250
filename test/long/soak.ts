/**
 * `npm run test:long -- soak`: the browser host for an hour, with searches of real trainings one after another in two
 * workers that are never replaced, and pages that open, subscribe and go. Memory must stay flat, and nothing be left over:
 * open files, handles, sockets, processes, threads, temporary files.
 *
 *   --evaluations N   in each worker, at least (default 2000)
 *   --minutes N       at least (default 60)
 *   --most N          minutes after which it ends in any case (default 180)
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startServer, type Server } from '../../main/browser/server.ts'
import { spawnNode, type Spawn } from '../../main/workers/process.ts'
import { REPLIES } from '../../shared/replies.ts'
import { createRandom } from '../../shared/random.ts'
import type { SearchConfig } from '../../shared/records.ts'
import { shortSearch } from '../main/stand-in-app.ts'
import { cookieOf, openPage } from '../main/wire.ts'

const WORKERS = 2
/** The part of the run from which on growth counts (see test/bench/memory.ts). */
const SETTLED = 0.2
/** What may be added to memory, as a part, and to counts of what is open, until the end. */
const [GROWTH, MORE_OPEN] = [0.1, 4]
const LOOK_MS = 5000
const PAGES = 6
/** Trainings of a search, after which the next one begins. */
const TRAINED = 200

/** The smallest networks, an architecture after the other, for a few steps of each of the stages. */
const configOf = (nth: number): SearchConfig => {
  const { training, rejection, data, architectures, ...rest } = shortSearch({
    maxTrained: TRAINED,
    inFlight: 4,
    rerank: { count: 2, steps: 6 },
  })
  return {
    ...rest,
    seed: nth,
    baselines: ['BN-ReLU'],
    architectures: [architectures[nth % architectures.length]!],
    data: { ...data, trainingImages: 256, validationImages: 64, imageSize: 8 },
    training: { ...training, steps: 3, batchSize: 16, warmupSteps: 0 },
    rejection: {
      quality: { ...rejection.quality, steps: 2, minAccuracy: 0 },
      stability: { ...rejection.stability, steps: 1, batchSize: 8 },
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

/** A page that opens, reads and closes, again and again, at moments of its own. */
const visit = async (server: Server, cookie: string, seed: number, over: () => boolean): Promise<void> => {
  const random = createRandom('page', seed)
  while (!over()) {
    // On a machine that is too busy to answer in time the host hangs up, as it should; a browser tries again, too.
    const page = await openPage(server, cookie).catch(() => null)
    if (!page) {
      await sleep(1000)
      continue
    }
    const { seq } = REPLIES['app.info'].parse((await page.ask('app.info', {})).value)
    page.send({ subscribe: { since: Math.max(0, seq - random.below(1000)) } })
    for (const name of ['searches.list', 'workers.list', 'transfers.list']) await page.ask(name, {})
    await sleep(500 + random.below(10_000))
    if (random.below(2) === 0) page.socket.close()
    else page.socket.terminate()
  }
}

/** Searches without end, one after another. */
const search = async (server: Server, over: () => boolean): Promise<void> => {
  for (let nth = 0; !over(); nth++) {
    const argument = { name: `soak ${nth}`, config: configOf(nth) }
    const reply = await server.api.request({ id: 1, name: 'searches.create', argument })
    if (!reply.ok) throw new Error(reply.message)
    const { id } = REPLIES['searches.create'].parse(reply.value).search
    for (let running = true; running && !over(); await sleep(200)) {
      const now = await server.api.request({ id: 1, name: 'searches.get', argument: { id } })
      const { state, failure } = REPLIES['searches.get'].parse(now.ok ? now.value : null).search
      if (state === 'failed') throw new Error(`soak: search ${nth} failed: ${failure}`)
      running = state !== 'done'
    }
  }
}

const highest = (looks: readonly Look[], of: keyof Look): Record<string, number> =>
  Object.fromEntries(
    Object.keys(looks[0]![of]).map((name) => [name, Math.max(...looks.map((look) => look[of][name] ?? 0))]),
  )

export const soak = async (args: readonly string[]): Promise<void> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      evaluations: { type: 'string', default: '2000' },
      minutes: { type: 'string', default: '60' },
      most: { type: 'string', default: '180' },
    },
  })
  const [wanted, minutes, most] = [Number(values.evaluations), Number(values.minutes), Number(values.most)]
  const folder = mkdtempSync(path.join(tmpdir(), 'normforge-soak-'))
  // A folder for temporary files of its own, so that only this program's are counted.
  process.env['TMPDIR'] = path.join(folder, 'tmp')
  mkdirSync(tmpdir())
  const pids: number[] = []
  const done: number[] = []
  const spawn: Spawn = (file, given) => {
    const child = spawnNode(file, given)
    const worker = pids.push(child.pid ?? 0) - 1
    done[worker] = 0
    child.onMessage(({ kind }) => {
      if (kind === 'evaluated') done[worker]! += 1
    })
    child.onExit((code, signal) => {
      if (!closing) console.log(`worker ${worker} ended (${signal ?? code}): ${child.lastWords()}`)
    })
    return child
  }
  const server = await startServer({
    dataFolder: path.join(folder, 'data'),
    workers: WORKERS,
    threads: 1,
    spawn,
    limits: { recycleTasks: Infinity },
  })
  const began = performance.now()
  const elapsed = (): number => (performance.now() - began) / 60_000
  const least = (): number => Math.min(...done)
  let closing = false
  const over = (): boolean => (least() >= wanted && elapsed() >= minutes) || elapsed() >= most
  const searching = search(server, over)
  const cookie = await cookieOf(server)
  const visits = Array.from({ length: PAGES }, (_, i) => visit(server, cookie, i, over))
  const looks: { readonly at: number; readonly look: Look }[] = []
  for (let told = 0; !over();) {
    await sleep(LOOK_MS)
    if (pids.length < WORKERS) continue
    looks.push({ at: elapsed(), look: lookAt(pids) })
    if (elapsed() - told < 1) continue
    told = elapsed()
    const { memory } = looks.at(-1)!.look
    const text = Object.entries(memory).map(([name, mib]) => `${name} ${mib.toFixed(0)} MiB`)
    console.log(`${elapsed().toFixed(1)} min, ${done.join(' and ')} evaluations: ${text.join(', ')}`)
  }
  const end = elapsed()
  await Promise.all([searching, ...visits])
  const within = (from: number, to: number): Look[] =>
    looks.filter(({ at }) => at > from * end && at <= to * end).map(({ look }) => look)
  const [early, late] = [within(SETTLED / 2, SETTLED), within(1 - SETTLED / 2, 1)]
  closing = true
  await server.close()
  await sleep(1500)
  const alive = pids.filter(
    (pid) =>
      readdirSync('/proc').includes(String(pid)) && !/ Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8')),
  )
  rmSync(folder, { recursive: true, force: true })

  const faults: string[] = []
  if (least() < wanted) faults.push(`${least()} evaluations of a worker, needed ${wanted}`)
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
    `${elapsed().toFixed(1)} min, ${done.join(' and ')} evaluations: ${faults.length === 0 ? 'flat, nothing left over' : faults.join('; ')}`,
  )
  if (faults.length > 0) process.exitCode = 1
}
