/**
 * The host's side: a pool whose workers are on other machines. Each job goes through BullMQ under a key that names its search,
 * its candidate and all that decides its result; the answer waits in Redis under that key until it is taken, once.
 */
import { hash, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import path from 'node:path'
import { Queue } from 'bullmq'
import type { Redis } from 'ioredis'
import type { MachineStatus, WorkerStatus } from '../../shared/contract.ts'
import type { Job, Outcome, Pool, TransferJob, TransferOutcome } from '../workers/pool.ts'
import { keyOf, outcomeOf } from './answers.ts'
import { connectTo, disconnect, onConnection, reach, shownAddress, within, type Address } from './address.ts'
import { buildOf, buildText, type Build } from './build.ts'
import { offerData, travels } from './data.ts'
import { fingerprintOf, type Fingerprinted } from './fingerprints.ts'
import {
  answerSchema,
  machineSchema,
  newsSchema,
  readAs,
  wordSchema,
  type Host,
  type Machine,
  type Needs,
  type RemoteJob,
  type Word,
} from './messages.ts'
import { KEPT, NAMES, PREFIX, queueName } from './names.ts'
import { tellingOnce } from './once.ts'
import { dataPaths, markOf, transferPaths } from './paths.ts'
import { announce, leave, present } from './presence.ts'
import { bringState, fetchState, writePicture } from './receiving.ts'
import { dropState } from './state.ts'

export type HostOptions = {
  readonly address: Address
  /** Answers questions about data, which are on this machine, too. */
  readonly local: Pool
  /** Told what the user should know, a sentence. */
  readonly note?: (text: string) => void
  readonly build?: Build
  /** How often Redis is looked through for what no word came of, milliseconds. */
  readonly lookMs?: number
}

/** How often a job is given to another machine because one can't do any work. */
const ATTEMPTS = 3
const LOOK_MS = 2000
/** Failed jobs are kept for their host so long, seconds, and so many of them. */
const FAILED = { age: KEPT.answer, count: 1000 }
/** A taken answer is removed from Redis when its result has long been recorded, milliseconds. */
const TAKEN_MS = 3000
const LEAVING_MS = 1500

type Pending = {
  readonly job: RemoteJob
  readonly needs: string
  /** The run's folder on this machine. */
  readonly folder: string | null
  readonly begin: () => void
  readonly progress: TransferJob['onProgress']
  begun: boolean
  readonly end: (outcome: Outcome | TransferOutcome) => void
  /** News are read one after another. */
  reading: Promise<void>
}

/** Throws a RemoteError of one sentence when Redis can't be used. */
export const openRemotePool = async (options: HostOptions): Promise<Pool> => {
  const redis = connectTo(options.address)
  await reach(redis, options.address)
  const host = new RemoteHost(redis, options)
  await host.look()
  return host
}

/** The same at once: work waits until Redis is there. */
export const createRemotePool = (options: HostOptions): Pool =>
  new RemoteHost(connectTo(options.address), options)

class RemoteHost implements Pool {
  readonly #redis: Redis
  readonly #words: Redis
  readonly #options: HostOptions
  readonly #build: Build
  readonly #id = randomUUID()
  readonly #queues = new Map<string, Queue>()
  readonly #needs = new Map<string, Needs>([['none', { id: 'none', data: [] }]])
  readonly #data = new Map<string, Promise<Fingerprinted>>()
  readonly #pending = new Map<string, Pending>()
  readonly #taken = new Map<string, { readonly at: number; readonly needs: string }>()
  readonly #listeners = new Set<() => void>()
  readonly #tellOnce: (text: string) => void
  readonly #timer: NodeJS.Timeout
  #machines: ReadonlyMap<string, Machine> = new Map()
  #looking = false
  #closed = false

  constructor(redis: Redis, options: HostOptions) {
    this.#redis = redis
    this.#words = redis.duplicate()
    this.#options = options
    this.#tellOnce = tellingOnce(options.note)
    this.#build = options.build ?? buildOf()
    this.#words.on('message', (_, text) => this.#hear(text))
    void this.#words.subscribe(NAMES.toHosts).catch(() => undefined)
    onConnection(redis, (connected) => {
      if (this.#closed) return
      options.note?.(
        connected
          ? `${shownAddress(options.address)} is there again`
          : `${shownAddress(options.address)} is lost: waiting for it`,
      )
      if (connected) void this.look()
    })
    this.#timer = setInterval(() => void this.look(), options.lookMs ?? LOOK_MS)
  }

  get count(): number {
    let count = 0
    for (const machine of this.#machines.values())
      if (this.#fits(machine) && !machine.draining) count += machine.capacity
    return Math.max(1, count)
  }
  facts(): Readonly<Record<string, string>> {
    return { workers: shownAddress(this.#options.address) }
  }
  check: Pool['check'] = (data) => this.#options.local.check(data)
  checkTransfer: Pool['checkTransfer'] = (asked) => this.#options.local.checkTransfer(asked)

  status(): WorkerStatus[] {
    const all = [...this.#machines.values()].flatMap(({ name, workers }) =>
      workers.map((worker) => ({ ...worker, machine: name })),
    )
    return all.map((worker, i) => ({ ...worker, worker: i }))
  }
  machines(): MachineStatus[] {
    return [...this.#machines].map(([id, machine]) => ({
      id,
      name: machine.name,
      device: machine.device,
      processor: machine.processor,
      capacity: machine.capacity,
      busy: machine.active.length,
      draining: machine.draining,
      done: machine.done,
      failed: machine.failed,
      perHour: 6 * machine.recent,
      lacks: this.#fits(machine) ? machine.lacks : [this.#misfit(machine)],
    }))
  }
  drain(machine: string): void {
    void this.#redis.set(NAMES.drained(machine), '1', 'EX', KEPT.cancelled).catch(() => undefined)
    this.#say({ kind: 'drained', key: machine })
  }
  onStatus(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  run(job: Job): Promise<Outcome> {
    const { task, search, candidate } = job
    if (task.keep)
      throw new Error('remote: a training that keeps its state in a file is done on this machine')
    return this.#undertake(job, null, async (name) => {
      const given = { ...task, data: dataPaths(task.data, name) }
      const key = keyOf(search, `${candidate}`, given, this.#build)
      return { kind: 'evaluate', key, search, candidate, task: given }
    }) as Promise<Outcome>
  }

  transfer(job: TransferJob): Promise<TransferOutcome> {
    const { graph, config, seed } = job.run
    return this.#undertake(job, job, async (name) => {
      const given = transferPaths(config, name)
      const key = keyOf('transfer', job.key, given, this.#build)
      return { kind: 'transfer', key, run: job.key, graph, config: given, seed }
    }) as Promise<TransferOutcome>
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#timer)
    for (const key of [...this.#pending.keys()]) this.#cancel(key)
    this.#options.local.close()
    void this.#leave()
  }

  async #leave(): Promise<void> {
    // Where Redis is not there, it forgets this host by itself.
    await within(LEAVING_MS, this.#tidy())
    disconnect(this.#redis)
  }

  async #tidy(): Promise<void> {
    await leave(this.#redis, { all: NAMES.hosts, one: NAMES.host }, this.#id)
    for (const key of this.#taken.keys()) await this.#redis.del(NAMES.answer(key))
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()))
  }

  #fits({ build }: Machine): boolean {
    return build.digest === this.#build.digest
  }
  #misfit({ build }: Machine): string {
    return `needed ${buildText(this.#build)}, has ${buildText(build)}: it gets no work from here`
  }

  #say(word: Word): void {
    void this.#redis.publish(NAMES.toMachines, JSON.stringify(word)).catch(() => undefined)
  }

  #queue(needs: string): Queue {
    const name = queueName(this.#build.digest, needs)
    let queue = this.#queues.get(needs)
    if (!queue) {
      queue = new Queue(name, { connection: this.#redis, prefix: PREFIX })
      queue.on('error', () => undefined)
      this.#queues.set(needs, queue)
    }
    return queue
  }

  #fingerprint(where: string): Promise<Fingerprinted> {
    let found = this.#data.get(where)
    if (!found) {
      this.#data.set(where, (found = fingerprintOf(where)))
      found.catch(() => this.#data.delete(where))
    }
    return found
  }

  async #undertake(
    { signal, onStart }: Pick<Job, 'signal' | 'onStart'>,
    transfer: TransferJob | null,
    jobOf: (name: (path: string) => string) => Promise<RemoteJob>,
  ): Promise<Outcome | TransferOutcome> {
    if (signal.aborted || this.#closed) return { kind: 'cancelled' }
    let prepared
    try {
      prepared = await this.#prepare(jobOf)
    } catch (error) {
      return { kind: 'environment', message: (error as Error).message }
    }
    if (signal.aborted) return { kind: 'cancelled' }
    const { job, needs } = prepared
    const { promise, resolve } = Promise.withResolvers<Outcome | TransferOutcome>()
    const pending: Pending = {
      job,
      needs,
      folder: transfer?.run.folder ?? null,
      begin: () => onStart?.(),
      progress: transfer?.onProgress,
      begun: false,
      end: resolve,
      reading: Promise.resolve(),
    }
    this.#pending.set(job.key, pending)
    const abort = (): void => this.#cancel(job.key)
    signal.addEventListener('abort', abort)
    // What goes wrong with Redis now is made good when it is next looked through.
    void this.#submit(pending).catch(() => undefined)
    return promise.finally(() => signal.removeEventListener('abort', abort))
  }

  /** The job with its files named by fingerprints, and the queue for those. */
  async #prepare(
    jobOf: (name: (path: string) => string) => Promise<RemoteJob>,
  ): Promise<{ job: RemoteJob; needs: string }> {
    const paths = new Set<string>()
    await jobOf((path) => {
      paths.add(path)
      return path
    })
    const found = new Map<string, Fingerprinted>()
    for (const where of paths) found.set(where, await this.#fingerprint(where))
    const job = await jobOf((path) => markOf(found.get(path)!.fingerprint))
    if (found.size === 0) return { job, needs: 'none' }
    const data = [...found].map(([where, set]) => ({
      fingerprint: set.fingerprint,
      label: path.basename(where).slice(0, 300),
      bytes: set.bytes,
      travels: travels(set),
    }))
    const id = hash(
      'sha256',
      data
        .map(({ fingerprint }) => fingerprint)
        .sort()
        .join(' '),
    ).slice(0, 16)
    if (!this.#needs.has(id)) {
      this.#needs.set(id, { id, data })
      await this.#announce().catch(() => undefined)
    }
    return { job, needs: id }
  }

  /** Puts a job in, unless it is there already; takes its answer where that is there. */
  async #submit(pending: Pending): Promise<void> {
    const { job, needs, folder } = pending
    const { key } = job
    const queue = this.#queue(needs)
    if (job.kind === 'transfer' && folder !== null) await bringState(this.#redis, job.run, folder)
    const [, [, answer] = [], [, there] = []] =
      (await this.#redis
        .multi()
        .del(NAMES.cancelled(key))
        .get(NAMES.answer(key))
        .exists(queue.toKey(key))
        .exec()) ?? []
    if (this.#pending.get(key) !== pending) return
    if (typeof answer === 'string') return this.#take(key, answer)
    if (there === 1) {
      const old = await queue.getJob(key)
      if (!(await old?.isFailed())) return
      await old?.remove()
    }
    if (this.#pending.get(key) !== pending) return
    await queue.add(job.kind, job, {
      jobId: key,
      attempts: ATTEMPTS,
      backoff: { type: 'fixed', delay: 1000 },
      removeOnComplete: true,
      removeOnFail: FAILED,
    })
  }

  #cancel(key: string): void {
    const pending = this.#pending.get(key)
    if (!pending) return
    this.#pending.delete(key)
    void this.#withdraw(key, pending.needs).catch(() => undefined)
    pending.end({ kind: 'cancelled' })
  }

  /** Out of the queue; a machine that is at it is told to stop. */
  async #withdraw(key: string, needs: string): Promise<void> {
    await this.#redis.set(NAMES.cancelled(key), '1', 'EX', KEPT.cancelled)
    this.#say({ kind: 'cancelled', key })
    await this.#queue(needs)
      .remove(key)
      .catch(() => undefined)
  }

  #hear(text: string): void {
    const word = readAs(wordSchema, text)
    if (!word) return
    if (word.kind === 'wanted') return void this.#offer(word.key).catch(() => undefined)
    const pending = this.#pending.get(word.key)
    if (!pending) return
    if (word.kind === 'begun') this.#begin(pending)
    else if (word.kind === 'news') this.#readNews(pending)
    else if (word.kind === 'answered') void this.#fetchAnswer(word.key).catch(() => undefined)
  }

  #begin(pending: Pending): void {
    if (pending.begun) return
    pending.begun = true
    pending.begin()
  }

  async #fetchAnswer(key: string): Promise<void> {
    const text = await this.#redis.get(NAMES.answer(key))
    if (text !== null) await this.#take(key, text)
  }

  /** Ends a job by its answer, once: whoever comes later finds nothing that waits for it. */
  async #take(key: string, text: string): Promise<void> {
    const pending = this.#pending.get(key)
    if (!pending) return
    const answer = readAs(answerSchema, text)
    const outcome = answer && outcomeOf(answer, pending.job)
    if (!outcome) {
      this.#tellOnce(`an answer to job ${key} was none and is left out: the job is given out again`)
      await this.#redis.del(NAMES.answer(key))
      return
    }
    if (pending.job.kind === 'transfer') {
      await this.#news(pending)
      if (this.#pending.get(key) !== pending) return
    }
    this.#begin(pending)
    this.#pending.delete(key)
    this.#taken.set(key, { at: performance.now(), needs: pending.needs })
    if (pending.job.kind === 'transfer') void dropState(this.#redis, pending.job.run).catch(() => undefined)
    pending.end(outcome)
  }

  #readNews(pending: Pending): void {
    pending.reading = pending.reading.then(() => this.#news(pending)).catch(() => undefined)
  }

  async #news(pending: Pending): Promise<void> {
    const { key } = pending.job
    for (;;) {
      const text = await this.#redis.lpop(NAMES.news(key))
      if (text === null || this.#pending.get(key) !== pending) return
      const news = readAs(newsSchema, text)
      if (!news) continue
      this.#begin(pending)
      const { job, folder } = pending
      if (news.kind !== 'state') {
        const picture = news.picture && folder !== null ? writePicture(folder, news.picture) : null
        pending.progress?.({ step: news.step, steps: news.steps, point: news.point, picture })
      } else if (job.kind === 'transfer' && folder !== null) await fetchState(this.#redis, job.run, folder)
    }
  }

  async #offer(fingerprint: string): Promise<void> {
    for (const found of this.#data.values()) {
      const set = await found.catch(() => null)
      if (set?.fingerprint !== fingerprint || !travels(set)) continue
      await this.#redis.srem(NAMES.wanted, fingerprint)
      if ((await this.#redis.exists(NAMES.data(fingerprint))) === 0) await offerData(this.#redis, set)
    }
  }

  async #announce(): Promise<void> {
    const host: Host = { name: hostname(), build: this.#build, needs: [...this.#needs.values()] }
    await announce(this.#redis, { all: NAMES.hosts, one: NAMES.host }, this.#id, host)
  }

  /** Finds whatever no word came of: answers, failures, jobs that Redis has lost, machines that came or went. */
  async look(): Promise<void> {
    if (this.#looking || this.#closed || this.#redis.status !== 'ready') return
    this.#looking = true
    try {
      await this.#announce()
      this.#machines = await present(this.#redis, { all: NAMES.machines, one: NAMES.machine }, machineSchema)
      for (const machine of this.#machines.values()) {
        if (!this.#fits(machine)) this.#tellOnce(`machine ${machine.name}: ${this.#misfit(machine)}`)
        for (const key of machine.active) {
          const pending = this.#pending.get(key)
          if (pending) this.#begin(pending)
        }
      }
      const waiting = [...this.#pending.values()]
      if (waiting.length > 0 && ![...this.#machines.values()].some((machine) => this.#fits(machine)))
        this.#tellOnce('no machine takes work: start one with "npm run cli -- worker --redis <url>"')
      for (const fingerprint of await this.#redis.smembers(NAMES.wanted)) await this.#offer(fingerprint)
      await this.#lookAfter(waiting)
      await this.#lookForFailures()
      await this.#clear()
    } catch {
      // Redis is gone again; the next look is another try.
    } finally {
      this.#looking = false
    }
    for (const listener of this.#listeners) listener()
  }

  async #lookAfter(waiting: readonly Pending[]): Promise<void> {
    if (waiting.length === 0) return
    // Together: between two questions a machine may answer and the job be gone.
    const questions = this.#redis.multi()
    for (const { job, needs } of waiting)
      questions.exists(NAMES.answer(job.key)).exists(this.#queue(needs).toKey(job.key))
    const replies = (await questions.exec()) ?? []
    for (const [i, pending] of waiting.entries()) {
      const [answered, there] = [replies[2 * i]?.[1], replies[2 * i + 1]?.[1]]
      if (this.#pending.get(pending.job.key) !== pending) continue
      if (answered === 1) await this.#fetchAnswer(pending.job.key)
      else if (there === 0) await this.#submit(pending)
      else if (pending.job.kind === 'transfer') this.#readNews(pending)
    }
  }

  async #lookForFailures(): Promise<void> {
    for (const needs of new Set([...this.#pending.values()].map(({ needs }) => needs)))
      for (const failed of await this.#queue(needs).getFailed(0, 99)) {
        const pending = this.#pending.get(failed.id ?? '')
        if (!pending) continue
        const cause = failed.failedReason || 'no machine could do it'
        await failed.remove().catch(() => undefined)
        this.#pending.delete(pending.job.key)
        pending.end(
          /stalled/.test(cause)
            ? {
                kind: 'failure',
                failure: {
                  cause: 'its machine was lost again and again',
                  trace: cause,
                  attempts: failed.stalledCounter,
                },
              }
            : { kind: 'environment', message: cause },
        )
      }
  }

  /** Answers that were taken some time ago go; a machine that still works at one is told to stop. */
  async #clear(): Promise<void> {
    const now = performance.now()
    for (const [key, { at, needs }] of [...this.#taken]) {
      if (now - at < TAKEN_MS) continue
      this.#taken.delete(key)
      await this.#redis.del(NAMES.answer(key), NAMES.news(key))
      if ((await this.#redis.exists(this.#queue(needs).toKey(key))) === 1) await this.#withdraw(key, needs)
    }
  }
}
