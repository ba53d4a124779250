/**
 * A machine's side: takes jobs that it can do out of BullMQ's queues, has them done by the local pool, and puts the answers
 * into Redis. BullMQ renews a job's lock while this process lives; when it doesn't, the job goes to another machine.
 */
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { cpus, hostname } from 'node:os'
import path from 'node:path'
import { UnrecoverableError, WaitingError, Worker, type Job as QueueJob } from 'bullmq'
import type { Redis } from 'ioredis'
import type { Made } from '../../shared/records.ts'
import { makeFolder } from '../setup/disk.mjs'
import type { Outcome, Pool, TransferOutcome } from '../workers/pool.ts'
import { madeBy } from '../versions.ts'
import {
  connectTo,
  disconnect,
  onConnection,
  reach,
  RemoteError,
  shownAddress,
  within,
  type Address,
} from './address.ts'
import { buildOf, buildText, type Build } from './build.ts'
import { Inventory } from './data.ts'
import {
  hostSchema,
  jobSchema,
  wordSchema,
  readAs,
  type Answer,
  type Host,
  type Machine,
  type Needs,
  type RemoteJob,
  type RemoteNews,
  type Word,
} from './messages.ts'
import { KEPT, NAMES, PREFIX, queueName } from './names.ts'
import { dataPaths, fingerprintIn, transferPaths } from './paths.ts'
import { announce, leave, present } from './presence.ts'
import { tellingOnce } from './once.ts'
import { progressNews, StateSender } from './sending.ts'
import { newestState, receiveState, sendState } from './state.ts'

export type MachineOptions = {
  readonly address: Address
  readonly pool: Pool
  /** Its name for people (default: the host name). */
  readonly name?: string | undefined
  /** Keeps runs of transfers, and data sets that travelled. */
  readonly folder: string
  /** Data sets that are here. */
  readonly data?: readonly string[]
  readonly note?: (text: string) => void
  readonly build?: Build
  /** A machine that gave no sign for so long is taken to be lost, milliseconds. */
  readonly leaseMs?: number
  readonly beatMs?: number
  /** A transfer's state is sent at most this often, milliseconds. */
  readonly stateMs?: number
}

export type RunningMachine = {
  /** Resolves when it has ended, with why: it was asked to, or it can't do any work. */
  readonly ended: Promise<'drained' | 'stopped' | RemoteError>
  /** Takes nothing more, and ends when what it has is done. */
  drain(): void
  /** Gives back what it has, and ends. */
  stop(): Promise<void>
}

const LEASE_MS = 30_000
const BEAT_MS = 2000
const LEAVING_MS = 3000
/** A job whose machines are lost so often is given up. */
const MOST_LOST = 5
/** So many jobs in a row that no fault of theirs ended: the machine can't do any. */
const MOST_SICK = 2
const STATE_MS = 20_000
const MOST_NEWS = 500
const RECENT_MS = 10 * 60_000

export const startMachine = async (options: MachineOptions): Promise<RunningMachine> => {
  const redis = connectTo(options.address)
  await reach(redis, options.address)
  const machine = new RemoteMachine(redis, options)
  await machine.begin()
  return machine
}

type Active = { readonly controller: AbortController; why: 'cancelled' | 'given back' | null }

class RemoteMachine implements RunningMachine {
  readonly #redis: Redis
  readonly #words: Redis
  readonly #options: MachineOptions
  readonly #build: Build
  readonly #id = randomUUID()
  readonly #inventory: Inventory
  readonly #workers = new Map<string, Worker>()
  readonly #active = new Map<string, Active>()
  readonly #tellOnce: (text: string) => void
  readonly #end = Promise.withResolvers<'drained' | 'stopped' | RemoteError>()
  readonly ended = this.#end.promise
  #done: number[] = []
  #counts = { done: 0, failed: 0 }
  #lacks: string[] = []
  #sick = 0
  #draining = false
  #ending = false
  #beat: NodeJS.Timeout | null = null

  constructor(redis: Redis, options: MachineOptions) {
    this.#redis = redis
    this.#words = redis.duplicate()
    this.#options = options
    this.#tellOnce = tellingOnce(options.note)
    this.#build = options.build ?? buildOf()
    this.#inventory = new Inventory(redis, path.join(options.folder, 'data'))
  }

  /** Throws a RemoteError when every host that is there has another build. */
  async begin(): Promise<void> {
    const { data = [], address, note } = this.#options
    makeFolder(path.join(this.#options.folder, 'runs'))
    await this.#inventory.take(data).catch((error: Error) => {
      throw new RemoteError(`data: ${error.message}`)
    })
    const hosts = [...(await this.#hosts()).values()]
    if (hosts.length > 0 && !hosts.some((host) => this.#fits(host))) {
      this.#disconnect()
      throw new RemoteError(this.#misfit(hosts[0]!))
    }
    onConnection(this.#redis, (connected) => {
      if (this.#ending) return
      note?.(
        connected
          ? `${shownAddress(address)} is there again`
          : `${shownAddress(address)} is lost: work goes on, and its results wait`,
      )
    })
    this.#words.on('message', (_, text) => this.#hear(text))
    await this.#words.subscribe(NAMES.toMachines)
    await this.#look()
    const beat = async (): Promise<void> => {
      await this.#look().catch(() => undefined)
      if (!this.#ending) this.#beat = setTimeout(() => void beat(), this.#options.beatMs ?? BEAT_MS)
    }
    void beat()
  }

  drain(): void {
    if (this.#draining) return
    this.#draining = true
    this.#options.note?.(`drains: ${this.#active.size} jobs are being finished`)
    for (const worker of this.#workers.values()) void worker.pause(true)
    void this.#look().catch(() => undefined)
    this.#endWhenDrained()
  }

  async stop(): Promise<void> {
    for (const active of this.#active.values()) {
      active.why ??= 'given back'
      active.controller.abort()
    }
    await this.#finish('stopped')
  }

  #endWhenDrained(): void {
    if (this.#draining && this.#active.size === 0) void this.#finish('drained')
  }

  async #finish(how: 'drained' | 'stopped' | RemoteError): Promise<void> {
    if (this.#ending) return
    this.#ending = true
    if (this.#beat) clearTimeout(this.#beat)
    // Without Redis there is nothing to say; the jobs' locks run out.
    await within(
      LEAVING_MS,
      Promise.all([...this.#workers.values()].map((worker) => worker.close())).then(() =>
        leave(this.#redis, { all: NAMES.machines, one: NAMES.machine }, this.#id),
      ),
    )
    this.#disconnect()
    this.#end.resolve(how)
  }

  #disconnect(): void {
    disconnect(this.#redis)
  }

  #fits({ build }: Host): boolean {
    return build.digest === this.#build.digest
  }
  #misfit({ name, build }: Host): string {
    return `host ${name} needs ${buildText(build)}, this machine has ${buildText(this.#build)}: bring both to the same`
  }

  #hosts(): Promise<Map<string, Host>> {
    return present(this.#redis, { all: NAMES.hosts, one: NAMES.host }, hostSchema)
  }

  #hear(text: string): void {
    const word = readAs(wordSchema, text)
    if (word?.kind === 'cancelled') this.#cancel(word.key)
    else if (word?.kind === 'drained' && word.key === this.#id) this.drain()
  }

  #cancel(key: string): void {
    const active = this.#active.get(key)
    if (!active) return
    active.why ??= 'cancelled'
    active.controller.abort()
  }

  /** Says what it does, and finds what no word came of: new queues, cancelled jobs, that it is to drain. */
  async #look(): Promise<void> {
    if (this.#redis.status !== 'ready') return
    const hosts = [...(await this.#hosts()).values()]
    this.#lacks = []
    this.#listen({ id: 'none', data: [] })
    for (const host of hosts) {
      if (!this.#fits(host)) this.#tellOnce(this.#misfit(host))
      else for (const needs of host.needs) this.#serve(needs)
    }
    const keys = [...this.#active.keys()]
    const cancelled =
      keys.length === 0 ? [] : await this.#redis.mget(...keys.map((key) => NAMES.cancelled(key)))
    for (const [i, key] of keys.entries()) if (cancelled[i]) this.#cancel(key)
    if (!this.#draining && (await this.#redis.exists(NAMES.drained(this.#id))) === 1) this.drain()
    if (!this.#ending)
      await announce(this.#redis, { all: NAMES.machines, one: NAMES.machine }, this.#id, this.#status())
  }

  #serve(needs: Needs): void {
    const lacks = this.#inventory.lacks(needs)
    if (lacks.length === 0) return this.#listen(needs)
    for (const one of lacks) {
      if (!this.#lacks.includes(one)) this.#lacks.push(one)
      this.#tellOnce(one)
    }
  }

  #listen({ id }: Needs): void {
    if (this.#workers.has(id) || this.#draining || this.#ending) return
    const lease = this.#options.leaseMs ?? LEASE_MS
    const worker = new Worker(
      queueName(this.#build.digest, id),
      (job: QueueJob<unknown>, token) => this.#work(job, token ?? ''),
      {
        connection: this.#redis,
        prefix: PREFIX,
        name: this.#name,
        concurrency: this.#options.pool.count,
        lockDuration: lease,
        stalledInterval: lease / 2,
        maxStalledCount: MOST_LOST,
        runRetryDelay: Math.min(lease / 2, 2000),
      },
    )
    // A lock that was lost over a cut network, or Redis itself: both are made good by whoever holds the lock.
    worker.on('error', () => undefined)
    this.#workers.set(id, worker)
  }

  get #name(): string {
    return this.#options.name ?? hostname()
  }

  #made(): Made {
    return { machine: this.#name, ...madeBy(), ...this.#options.pool.facts(), build: this.#build.digest }
  }

  #status(): Machine {
    const { pool } = this.#options
    this.#done = this.#done.filter((at) => performance.now() - at < RECENT_MS)
    return {
      name: this.#name,
      build: this.#build,
      device: pool.facts()['device'] ?? 'CPU',
      processor: cpus()[0]?.model.trim() ?? 'unknown',
      capacity: pool.count,
      draining: this.#draining,
      ...this.#counts,
      recent: this.#done.length,
      lacks: this.#lacks,
      active: [...this.#active.keys()],
      workers: pool.status(),
    }
  }

  async #work(queued: QueueJob<unknown>, token: string): Promise<string> {
    const parsed = jobSchema.safeParse(queued.data)
    if (!parsed.success || parsed.data.key !== queued.id)
      throw new UnrecoverableError(`${this.#name}: needed a job of this program, got something else`)
    const job = parsed.data
    const active: Active = { controller: new AbortController(), why: null }
    this.#active.set(job.key, active)
    this.#say({ kind: 'begun', key: job.key })
    try {
      if ((await this.#redis.exists(NAMES.cancelled(job.key))) === 1) this.#cancel(job.key)
      return await this.#settle(job, await this.#do(job, active), active, queued, token)
    } finally {
      this.#active.delete(job.key)
      this.#endWhenDrained()
    }
  }

  async #settle(
    job: RemoteJob,
    outcome: Outcome | TransferOutcome,
    { why }: Active,
    queued: QueueJob<unknown>,
    token: string,
  ): Promise<string> {
    if (outcome.kind === 'cancelled') {
      if (why === 'cancelled') {
        queued.opts.removeOnFail = true
        throw new UnrecoverableError('cancelled')
      }
      await queued.moveToWait(token)
      throw new WaitingError('given back')
    }
    if (outcome.kind === 'environment') {
      this.#counts.failed += 1
      this.#sick += 1
      this.#tellOnce(outcome.message)
      if (this.#sick >= MOST_SICK)
        setImmediate(
          () => void this.#finish(new RemoteError(`this machine can't do any work: ${outcome.message}`)),
        )
      throw new Error(`machine ${this.#name}: ${outcome.message}`)
    }
    this.#sick = 0
    this.#counts[outcome.kind === 'result' ? 'done' : 'failed'] += 1
    this.#done.push(performance.now())
    await this.#deliver(job, outcome)
    return 'answered'
  }

  /** The first answer counts. It waits for the connection, so that a cut network loses nothing that is done. */
  async #deliver(
    job: RemoteJob,
    outcome: Extract<Outcome | TransferOutcome, { kind: 'result' | 'failure' }>,
  ): Promise<void> {
    const { made: _, ...rest } = { made: undefined, ...outcome }
    const answer = { kind: job.kind, key: job.key, made: this.#made(), outcome: rest } as Answer
    await this.#redis
      .multi()
      .set(NAMES.answer(job.key), JSON.stringify(answer), 'EX', KEPT.answer, 'NX')
      .publish(NAMES.toHosts, JSON.stringify({ kind: 'answered', key: job.key } satisfies Word))
      .exec()
  }

  async #do(job: RemoteJob, { controller }: Active): Promise<Outcome | TransferOutcome> {
    const { signal } = controller
    const { pool } = this.#options
    if (job.kind === 'transfer') return this.#transfer(job, signal)
    const task = { ...job.task, data: dataPaths(job.task.data, (path) => this.#place(path)) }
    return pool.run({ task, search: job.search, candidate: job.candidate, signal })
  }

  /** Throws where a path is none of this machine's data: nothing out of the queue names a file here. */
  #place(marked: string): string {
    const fingerprint = fingerprintIn(marked)
    const found = fingerprint === null ? null : this.#inventory.pathOf(fingerprint)
    if (found === null) throw new Error(`machine ${this.#name}: needed data that are here, got ${marked}`)
    return found
  }

  async #transfer(
    job: Extract<RemoteJob, { kind: 'transfer' }>,
    signal: AbortSignal,
  ): Promise<TransferOutcome> {
    const { run, graph, seed } = job
    const folder = path.join(this.#options.folder, 'runs', run)
    fs.rmSync(folder, { recursive: true, force: true })
    makeFolder(folder)
    const state = await newestState(this.#redis, run)
    if (state) await receiveState(this.#redis, state, folder)
    const config = transferPaths(job.config, (path) => this.#place(path))
    const sender = new StateSender({
      send: (step) => sendState(this.#redis, run, folder, step),
      folder,
      step: state?.step ?? 0,
      everyMs: this.#options.stateMs ?? STATE_MS,
      sent: () => this.#report(job.key, { kind: 'state' }),
    })
    const outcome = await this.#options.pool.transfer({
      run: { graph, config, seed, folder },
      key: run,
      signal,
      onProgress: (progress) => {
        this.#report(job.key, progressNews(progress, folder))
        sender.see(progress.step)
      },
    })
    await sender.end(outcome.kind === 'cancelled')
    fs.rmSync(folder, { recursive: true, force: true })
    return outcome
  }

  #report(key: string, news: RemoteNews): void {
    const list = NAMES.news(key)
    void this.#redis
      .multi()
      .rpush(list, JSON.stringify(news))
      .ltrim(list, -MOST_NEWS, -1)
      .expire(list, KEPT.answer)
      .publish(NAMES.toHosts, JSON.stringify({ kind: 'news', key } satisfies Word))
      .exec()
      .catch(() => undefined)
  }

  #say(word: Word): void {
    void this.#redis.publish(NAMES.toHosts, JSON.stringify(word)).catch(() => undefined)
  }
}
