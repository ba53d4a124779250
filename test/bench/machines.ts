/**
 * `npm run bench -- machines [workers…]`: what the queue costs. Evaluations that only sleep, on many workers in a few processes,
 * each worker a machine with connections of its own; the time beside the ideal one, and processor time a candidate of the host,
 * of Redis and of the workers.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openRemotePool } from '../../main/remote/host.ts'
import { inFlightFor } from '../../main/search/search.ts'
import { scoreTask } from '../../main/search/task.ts'
import { knownLayer } from '../../shared/known.ts'
import { quickPool, smallConfig } from '../search/harness.ts'

const SLEEP_MS = 2000
const ROUNDS = 6
const PROCESSES = 4
/** Clock ticks of /proc/<pid>/stat in a second, on Linux. */
const TICKS = 100

/** Seconds of processor time that a process used so far. */
const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}

const started = async (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => void child.once('message', () => resolve()))

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })

const measure = async (workers: number): Promise<void> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'normforge-bench-'))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  const args = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--dir',
    folder,
    '--save',
    '',
    '--appendonly',
    'yes',
  ]
  const redis = spawn('redis-server', args, { stdio: 'ignore' })
  const processes: ChildProcess[] = []
  try {
    await sleep(500)
    const count = Math.min(PROCESSES, workers)
    for (let i = 0; i < count; i++) {
      const here = Math.floor(workers / count) + (i < workers % count ? 1 : 0)
      const file = path.join(import.meta.dirname, 'machines-process.ts')
      const child = spawn(process.execPath, [file, url, `${here}`, `${SLEEP_MS}`, folder], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      })
      processes.push(child)
    }
    await Promise.all(processes.map(started))
    const pool = await openRemotePool({ address: { url }, local: quickPool(1) })
    const task = scoreTask(smallConfig(), knownLayer('BN-ReLU').graph, 'candidate')
    const signal = new AbortController().signal
    const total = ROUNDS * workers
    const cpu = (): number[] => [
      process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
      cpuOf(redis.pid!),
      processes.reduce((sum, { pid }) => sum + cpuOf(pid!), 0),
    ]
    const before = cpu()
    const begun = performance.now()
    let next = 0
    const feed = async (): Promise<void> => {
      while (next < total) {
        const candidate = next++
        const outcome = await pool.run({
          task: { ...task, seed: candidate },
          search: 'bench',
          candidate,
          signal,
        })
        if (outcome.kind !== 'result') throw new Error(`needed a result, got ${outcome.kind}`)
      }
    }
    await Promise.all(Array.from({ length: inFlightFor(workers) }, feed))
    const seconds = (performance.now() - begun) / 1000
    const ideal = (ROUNDS * SLEEP_MS) / 1000
    const each = cpu().map((after, i) => ((1000 * (after - before[i]!)) / total).toFixed(2))
    console.log(
      `${String(workers).padStart(5)} workers: ${((100 * ideal) / seconds).toFixed(0)} % of ideal ` +
        `(${seconds.toFixed(2)} s for ${total} of ${SLEEP_MS} ms); processor time a candidate: ` +
        `host ${each[0]} ms, Redis ${each[1]} ms, workers ${each[2]} ms`,
    )
    pool.close()
  } finally {
    for (const child of processes) child.kill('SIGKILL')
    redis.kill('SIGKILL')
    await sleep(200)
    rmSync(folder, { recursive: true, force: true })
  }
}

export const benchMachines = async (args: readonly string[]): Promise<void> => {
  const counts = args.length > 0 ? args.map(Number) : [1, 2, 4, 8, 64, 1000]
  for (const workers of counts) await measure(workers)
}
